"""Which pages may talk to this server: those of its own host, and those on a list."""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

PREFLIGHT_SECONDS: Final = "600"
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def is_origin(text: str) -> bool:
    """Whether `text` is one, as browsers write it: scheme, host, and a port that is not the scheme's own."""
    return _ORIGIN.fullmatch(text) is not None


class Origins:
    """Browsers say where a page comes from; other clients say nothing. No header that a proxy may add has a say."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = frozenset(allowed)

    def admit(self, request: web.Request) -> bool:
        """Whether `request` may come in."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or origin in self._allowed:
            return True
        host = origin.partition("://")[2]
        return host != "" and host.isascii() and host == request.headers.get(hdrs.HOST)

    def lists(self, request: web.Request) -> bool:
        """Whether `request` comes from a page of an origin on the list."""
        return request.headers.get(hdrs.ORIGIN) in self._allowed

    @staticmethod
    def response_headers(request: web.Request) -> Mapping[str, str]:
        """What lets the page read the answer to a `request` that was admitted (Fetch, section 3.2)."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return {}
        headers: dict[str, str] = {
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS: "true",
            hdrs.VARY: hdrs.ORIGIN,
        }
        if request.method == hdrs.METH_OPTIONS:
            headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] = "GET, POST, OPTIONS"
            headers[hdrs.ACCESS_CONTROL_MAX_AGE] = PREFLIGHT_SECONDS
            asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS)
            if asked is not None and asked.isascii():
                headers[hdrs.ACCESS_CONTROL_ALLOW_HEADERS] = asked
        return headers
