"""What clients say, with each thing that can be chosen chosen at random, now and then badly."""

import json
import random
from typing import Any, Final

from tests.abuse.stranger import PATH
from tests.conformance.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

_ROOMS: Final = ("fuzz-1", "fuzz-2", "fuzz-3")
_BAD_TEXTS: Final = (
    *(
        "",
        "*",
        ">",
        "a.b",
        "a b",
        "\r\n",
        "\0",
        "$SYS",
        "_INBOX.>",
        "\u202e",
        "\u0430",
        "'",
        '"',
        "\\",
        "../..",
        "%00",
    ),
    *("g-1", "d-1", "a" * 65, "a" * 3_000, "x" * 20_000, "\ufffe", "\U0001f600" * 50, "NaN", "null", "\ud800", "{}"),
)
_BAD_NUMBERS: Final = (-1, 0, 1, 1.5, 1e308, 10**9, 1 << 53, (1 << 63) - 1, 1 << 63, 1 << 64, -(1 << 63), 10**100)
_NAMES: Final = ("join", "leave", "message", "typing", "event", "history", "refresh", "presence", "read", "dismiss")
_BAD_NAMES: Final = ("connect", "disconnect", "error", "__proto__", "session", "", "join\0", "constructor")


def value(dice: random.Random, depth: int = 0) -> Any:
    """Any JSON."""
    kind = dice.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return dice.choice(_BAD_TEXTS)
    if kind < 5:
        return dice.choice(_BAD_NUMBERS)
    if kind == 5:
        return dice.choice((None, True, False, float("nan"), float("inf")))
    if kind == 6:
        return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    if kind == 7:
        return {dice.choice(_BAD_TEXTS)[:64]: value(dice, depth + 1) for _ in range(dice.randrange(4))}
    return {"$gt": ""} if dice.random() < 0.7 else _nested(dice.choice((10, 65, 500, 900)))


def _nested(depth: int) -> Any:
    nested: Any = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _mostly(dice: random.Random, good: Any) -> Any:
    return value(dice) if dice.random() < 0.15 else good


def event(dice: random.Random) -> str:
    """The JSON of an event."""
    fields = {
        "room": _mostly(dice, dice.choice(_ROOMS)),
        "id": _mostly(dice, f"m-{dice.randrange(50)}"),
        "body": _mostly(dice, "hello" * dice.choice((1, 1, 1, 100, 3_000))),
        "data": _mostly(dice, {"a": [1]}),
        "active": _mostly(dice, True),
        "name": _mostly(dice, "n"),
        "after": _mostly(dice, dice.randrange(100)),
        "before": _mostly(dice, dice.randrange(100)),
        "limit": _mostly(dice, dice.randrange(1, 200)),
        "token": _mostly(dice, "x"),
        "seq": _mostly(dice, 1),
    }
    chosen = {name: each for name, each in fields.items() if name == "room" or dice.random() < 0.6}
    name = dice.choice(_BAD_NAMES) if dice.random() < 0.1 else dice.choice(_NAMES)
    return json.dumps([name, _mostly(dice, chosen)], ensure_ascii=dice.random() < 0.5)


def packet(dice: random.Random) -> str:
    """An Engine.IO packet as text."""
    kind = dice.random()
    if kind < 0.7:
        return (
            f"42{dice.choice(('', str(dice.randrange(10**6)), '9' * 100, '-1'))}{event(dice)}"
            if kind < 0.1
            else (f"42{dice.randrange(10**6)}{event(dice)}")
        )
    if kind < 0.75:
        return f"45{dice.choice((0, 1, 2, 17, 10**9))}-{event(dice)}"
    if kind < 0.8:
        return f"43{dice.randrange(1000)}{json.dumps([value(dice)])}"
    if kind < 0.9:
        return f"4{dice.randrange(10)}{dice.choice(('', '/admin,', '/,'))}{json.dumps(value(dice))}"
    return dice.choice(("0{}", "1", "2", "2probe", "3", "3probe", "5", "6", "7", "b", "40", "41", "", "42", "4"))


def bytes_of(text: str) -> bytes:
    """UTF-8, also of what has none."""
    return text.encode(errors="surrogatepass")


def frames(dice: random.Random) -> bytes:
    """A WebSocket message: one frame mostly."""
    data = bytes_of(packet(dice))
    kind = dice.random()
    if kind < 0.75:
        return frame(TEXT, data)
    if kind < 0.85:
        cuts = sorted(dice.randrange(len(data) + 1) for _ in range(dice.randrange(1, 4)))
        parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        return b"".join(
            frame(CONTINUATION if at else TEXT, part, final=at == len(parts) - 1) for at, part in enumerate(parts)
        )
    return frame(
        dice.choice((TEXT, BINARY, CONTINUATION, PING, PONG, CLOSE, 3, 11)),
        dice.choice((b"", b"\x03\xe8", dice.randbytes(dice.choice((2, 20, 130))), bytes(70_000))),
        final=dice.random() < 0.8,
        reserved=dice.choice((0, 0, 0, 1, 2, 4)),
        masked=dice.random() < 0.9,
    )


def auth(dice: random.Random, token: str) -> str:
    """What goes with a CONNECT."""
    said = {"token": _mostly(dice, token)}
    if dice.random() < 0.3:
        said |= {"recover": _mostly(dice, True), "pid": _mostly(dice, "x"), "offset": _mostly(dice, "AAAA7f.BBBB1")}
    return json.dumps(_mostly(dice, said))


def request(dice: random.Random, token: str) -> bytes:
    """An HTTP request: to the API, the page or the edge."""
    fields = {
        "display_name": "Ann",
        "id": f"m-{dice.randrange(50)}",
        "body": "hello",
        "data": {"a": [1]},
        "title": "Hi",
    }
    said = {"username": value(dice), **{name: _mostly(dice, good) for name, good in fields.items()}}
    body = bytes_of(json.dumps(_mostly(dice, said)))
    room = dice.choice((*_ROOMS, "*", "..", "%2e%2e", "%00", "a%2Fb", "x" * 100))
    target = dice.choice(
        (
            *("/", "/web/chat.js", "/web/../x", "/.well-known/jwks.json", "/api/guest", "/api/guest", "/api/nothing"),
            f"/api/rooms/{room}/messages?limit={dice.choice((1, -1, 10**9, 'x'))}",
            f"/api/rooms/{room}/messages?before={dice.choice((1, 'x', 1 << 70))}&after=",
            f"/api/rooms/{room}/messages",
            f"/api/users/{room}/notifications",
            f"{PATH}{dice.choice(('polling', 'websocket', 'x'))}",
            f"{PATH}polling&sid={dice.choice(('x', 'A' * 20, '%0d%0a'))}",
        )
    )
    lines = [
        f"{dice.choice(('GET', 'GET', 'POST', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'BREW'))} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        *dice.sample(
            (
                f"Authorization: Bearer {token}",
                f"Content-Length: {_mostly(dice, len(body))}",
                "Transfer-Encoding: chunked",
                f"Content-Encoding: {dice.choice(('gzip', 'deflate', 'br', 'x'))}",
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                f"Origin: {dice.choice(('null', 'http://127.0.0.1', 'https://evil.example'))}",
                "X-Forwarded-For: 10.0.0.1, ::1",
                "Expect: 100-continue",
                f"X-Long: {'x' * dice.choice((10, 8_000, 9_000))}",
            ),
            dice.randrange(1, 6),
        ),
    ]
    return bytes_of("\r\n".join(lines)) + b"\r\n\r\n" + body
