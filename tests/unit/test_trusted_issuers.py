"""The file of trusted issuers: what is in it, and one line about what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import SettingsError
from services.auth import trusted_issuers
from services.auth.trusted_issuers import TrustedIssuer

URL = "https://id.example.com/jwks.json"
LEAST = {"issuer": "https://id.example.com", "audience": "chat", "jwks_url": URL, "user_prefix": "ex-"}


def loaded(folder: Path, *issuers: Any) -> list[TrustedIssuer]:
    """What is read from a file with these issuers."""
    file = folder / "issuers.json"
    file.write_text(json.dumps(issuers))
    return trusted_issuers.load(str(file), own_issuer="parley")


def complaint(folder: Path, *issuers: Any) -> str:
    """What is said about a file with these issuers; always one line that names the variable and the file."""
    with pytest.raises(SettingsError) as caught:
        loaded(folder, *issuers)
    said = str(caught.value)
    assert said.startswith(f"TRUSTED_ISSUERS_FILE: {folder}/issuers.json: ")
    assert "\n" not in said
    return said.partition("issuers.json: ")[2]


def test_defaults(tmp_path: Path) -> None:
    """EdDSA, any type, the usual claims; and nobody is trusted without a file."""
    (issuer,) = loaded(tmp_path, LEAST)
    assert (issuer.algorithms, issuer.type) == (("EdDSA",), None)
    claims = issuer.claims
    assert (claims.user, claims.display_name, claims.username, claims.session) == ("sub", "name", None, "sid")
    assert trusted_issuers.load("", own_issuer="parley") == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost/x", "http://[::1]:80/x", "HTTPS://h/x"])
def test_addresses_that_are_allowed(tmp_path: Path, url: str) -> None:
    """Encrypted, or on this machine."""
    assert loaded(tmp_path, {**LEAST, "jwks_url": url})[0].jwks_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.com/x",
        "http://127.0.0.1.example.com/x",
        "http://localhost@id.example.com/x",
        "http://10.0.0.1/x",
        "https:///x",
        "https://h:port/x",
        "https://[::1/x",
        "file:///etc/passwd",
        "jwks.json",
        "//h/x",
    ],
)
def test_addresses_that_are_not(tmp_path: Path, url: str) -> None:
    """Whoever can change what comes from there can be anybody."""
    assert "must begin with https://, unless it is on this machine" in complaint(tmp_path, {**LEAST, "jwks_url": url})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"issuer": None}, "missing required field `issuer`"),
        ({"issuer": ""}, "$[0].issuer"),
        ({"issuer": "parley"}, "'parley' is named twice, or is TOKEN_ISSUER"),
        ({"audience": None}, "missing required field `audience`"),
        ({"audience": ["a"]}, "$[0].audience"),
        ({"user_prefix": None}, "missing required field `user_prefix`"),
        ({"user_prefix": ""}, "$[0].user_prefix"),
        ({"user_prefix": "a.b"}, "$[0].user_prefix"),
        ({"user_prefix": "a\n"}, "$[0].user_prefix"),
        ({"user_prefix": "a" * 17}, "$[0].user_prefix"),
        ({"jwks_url": None}, "needs either jwks_url or jwks_file"),
        ({"jwks_file": "x"}, "needs either jwks_url or jwks_file"),
        ({"algorithms": []}, "$[0].algorithms"),
        ({"algorithms": ["HS256"]}, "$[0].algorithms"),
        ({"algorithms": ["none"]}, "$[0].algorithms"),
        ({"algorithms": "RS256"}, "$[0].algorithms"),
        ({"claims": {"users": "sub"}}, "unknown field `users`"),
        ({"jwks_uri": "x"}, "unknown field `jwks_uri`"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    """Which of the issuers, and which of its fields."""
    issuer = {name: value for name, value in {**LEAST, **changed}.items() if value is not None}
    assert said in complaint(tmp_path, issuer)


@pytest.mark.parametrize("prefix", ["u-", "s-", "g-x", "d-", "u", "s", "g", "d", "u-ex-", "svc-", "svc-x", "sv"])
def test_a_prefix_must_not_be_ours(tmp_path: Path, prefix: str) -> None:
    """Nor the beginning of one: with `u`, a user `-ann` of the issuer would be our `u-ann`."""
    assert f"user_prefix {prefix!r} and " in complaint(tmp_path, {**LEAST, "user_prefix": prefix})


@pytest.mark.parametrize(("one", "other"), [("ex-", "ex-"), ("ac", "acme"), ("acme", "ac")])
def test_prefixes_must_differ_from_their_beginning(tmp_path: Path, one: str, other: str) -> None:
    """Or users of one issuer could have the ids of another's."""
    issuers = [{**LEAST, "user_prefix": one}, {**LEAST, "issuer": "another", "user_prefix": other}]
    assert complaint(tmp_path, *issuers) == f"user_prefix {other!r} and {one!r} cannot be told apart"
    assert len(loaded(tmp_path, LEAST, {**LEAST, "issuer": "another", "user_prefix": "Ex-"})) == 2


def test_an_issuer_is_named_once(tmp_path: Path) -> None:
    """Or it would not be clear by which rules its tokens go."""
    assert "is named twice" in complaint(tmp_path, LEAST, {**LEAST, "user_prefix": "other-"})


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b"\xff", b"[1]", b"[" * 100_000, b'[{"issuer": "\\ud800"}]'])
def test_a_file_that_is_none_of_it(tmp_path: Path, data: bytes) -> None:
    """One line, and no traceback."""
    file = tmp_path / "issuers.json"
    file.write_bytes(data)
    with pytest.raises(SettingsError, match=f"^TRUSTED_ISSUERS_FILE: {file}: .+"):
        trusted_issuers.load(str(file), own_issuer="parley")
    with pytest.raises(SettingsError, match=f"^TRUSTED_ISSUERS_FILE: {tmp_path}/none: No such file"):
        trusted_issuers.load(f"{tmp_path}/none", own_issuer="parley")
