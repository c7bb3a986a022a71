"""The list of origins: one that no browser would ever send, or that stands for all, is found out at the start."""

import pytest

from runtime.settings import SettingsError, load
from services.gateway.settings import GatewaySettings


def _load(text: str) -> tuple[str, ...]:
    environ = {"NATS_URL": "nats://n", "ADMIN_PORT": "9080", "ALLOWED_ORIGINS": text}
    return load(GatewaySettings, environ).allowed_origins


@pytest.mark.parametrize(
    "text",
    [
        "https://chat.example.com",
        "http://localhost:3000",
        "capacitor://localhost",
        "http://[::1]:8080",
        "https://a_b.c",
    ],
)
def test_an_origin_is_taken(text: str) -> None:
    """As browsers write it, also beside others."""
    assert _load(f"https://a.example, {text}") == ("https://a.example", text)


@pytest.mark.parametrize(
    "text",
    ["*", "null", "a.example", "https://a.example/", "https://*.a.example", "https://A.example", "https://", "//a"],
)
def test_what_is_no_origin_is_named_at_the_start(text: str) -> None:
    """In one line, with the variable; nothing stands for all."""
    with pytest.raises(SettingsError, match=r"^ALLOWED_ORIGINS is malformed: [^\n]*$"):
        _load(f"https://a.example,{text}")
