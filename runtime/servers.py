"""The addresses of NATS servers, as operators list them: checked at start, and shown without their passwords."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

from runtime.settings import SettingsError

_SCHEMES: Final = ("nats", "tls", "ws", "wss")
_HOST: Final = re.compile(r"[\w.:%-]+")
_DEFAULT_PORTS: Final = {"nats": 4222, "tls": 4222, "ws": 80, "wss": 443}


def hosts_and_ports(urls: Iterable[str]) -> list[str]:
    """Where `urls` lead. Raises `SettingsError`, which never repeats a URL: it may hold a password."""
    parts = [_parts(url) for url in urls]
    if len({each.scheme in {"ws", "wss"} for each in parts}) > 1:
        raise _malformed("WebSocket addresses cannot be mixed with others")
    return [f"{each.hostname}:{each.port or _DEFAULT_PORTS[each.scheme]}" for each in parts]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _malformed("this is no host and port") from None
    if url.partition("://")[0] not in _SCHEMES:
        raise _malformed(f"it must begin with one of {', '.join(f'{each}://' for each in _SCHEMES)}")
    if port == 0 or not _HOST.fullmatch(parts.hostname or "") or re.search(r"\s", url):
        raise _malformed("this is no host and port")
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        # The part before was read as the host, and would be looked up and logged.
        raise _malformed("a user or password cannot hold /, ? or #")
    return parts


def _malformed(why: str) -> SettingsError:
    return SettingsError(f"NATS_URL is malformed: {why}")
