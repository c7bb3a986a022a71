"""Pages of other origins that ask the API: what their browsers are told, while one origin is on the list."""

from typing import Final

from tests.abuse.rows import Row, Send, named
from tests.abuse.stranger import Stranger, request

LISTED: Final = "https://listed.example"
_NOTHING: Final = "405 invalid, told nothing"
_ASKS: Final = "Access-Control-Request-Method: GET"


def _told(method: str, target: str, *headers: str) -> Send:
    async def send(stranger: Stranger) -> str:
        answer = await stranger.answer(request(method, target, *headers))
        told = [value for name, value in sorted(answer.headers.items()) if name.startswith("access-control-allow-")]
        return f"{answer.words}, told {'; '.join(told) or 'nothing'}"

    return send


def _asks(*headers: str) -> Send:
    return _told("OPTIONS", "/api/rooms", *headers, _ASKS)


ROWS: Final[list[Row]] = named(
    {
        "the API: the null origin": (_asks("Origin: null"), _NOTHING),
        "the API: all origins": (_asks("Origin: *"), _NOTHING),
        "the API: an empty origin": (_asks("Origin: "), _NOTHING),
        "the API: a foreign origin": (_asks("Origin: https://evil.example"), _NOTHING),
        "the API: a listed origin as a subdomain": (_asks(f"Origin: {LISTED}.evil.example"), _NOTHING),
        "the API: a listed origin as a user's name": (_asks(f"Origin: {LISTED}@evil.example"), _NOTHING),
        "the API: a listed origin in capitals": (_asks(f"Origin: {LISTED.upper()}"), _NOTHING),
        "the API: a listed origin by another scheme": (_asks("Origin: http://listed.example"), _NOTHING),
        "the API: a listed origin, and another": (_asks(f"Origin: {LISTED} https://evil.example"), _NOTHING),
        "the API: a listed origin after another": (
            _asks("Origin: https://evil.example", f"Origin: {LISTED}"),
            _NOTHING,
        ),
        "the API: an origin that is no text": (_asks(f"Origin: {LISTED}\udcff"), _NOTHING),
        "the API: a forged host": (
            _asks("Origin: https://evil.example", "X-Forwarded-Host: evil.example", f"X-Origin: {LISTED}"),
            _NOTHING,
        ),
        "the API: a foreign origin that does not ask first": (
            _told("GET", "/api/rooms", "Origin: https://evil.example"),
            "401 unauthorized, told nothing",
        ),
        "the API: headers asked for that are no text": (
            _asks(f"Origin: {LISTED}", "Access-Control-Request-Headers: x\udcff"),
            f"204, told Authorization, Content-Type, traceparent; GET, HEAD, POST; {LISTED}",
        ),
        "the API: a method asked for that is none": (
            _told("OPTIONS", "/api/direct", f"Origin: {LISTED}", "Access-Control-Request-Method: \udcff"),
            f"204, told Authorization, Content-Type, traceparent; POST; {LISTED}",
        ),
        "the API: a listed page without a token": (
            _told("GET", "/api/rooms", f"Origin: {LISTED}"),
            f"401 unauthorized, told {LISTED}",
        ),
        "the API: a listed page asks for what is no API": (
            _told("OPTIONS", "/docs/", f"Origin: {LISTED}", _ASKS),
            "405 invalid, told nothing",
        ),
    }
)
