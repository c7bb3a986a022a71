"""RFC 6455 on the wire, after the cases of the Autobahn test suite.

That suite itself cannot be used: PyPI has it (autobahntestsuite 25.10.1), but as Python 2 code, which fails at its
first import under Python 3. So its cases for a server are here, in `test_websocket_frames`, `test_websocket_messages`
and `test_websocket_closing`: framing (1), pings and pongs (2), reserved bits (3), opcodes (4), fragmentation (5),
UTF-8 (6), closing (7), limits and sizes (9). Of its others,

- 6.4 (invalid UTF-8 is refused at the octet that makes it so) is not fulfilled: text is decoded when its last frame
  has come. The suite calls that non-strict, and it is bounded by `Limits.payload_most`;
- 12 and 13 (compression) do not apply: the extension is never agreed on, for its memory.

What the RFC wants of senders and the reader does not check: that a length is written in as few bytes as can be.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from services.gateway.edge.limits import Limits
from tests.conformance.raw import CLOSE, CONTINUATION, TEXT, Endpoint, WebSocket, frame

MOST: Final = 70_000
LIMITS: Final = Limits(payload_most=MOST, close_timeout=0.5)
"""No Engine.IO ping comes within a test."""

HELLO: Final = frame(TEXT, b"4hello")
Frames = list[tuple[int, bytes]]
Writes = Callable[[list[bytes]], Iterator[bytes]]


def separately(frames: list[bytes]) -> Iterator[bytes]:
    """Each frame in a write of its own."""
    yield from frames


def together(frames: list[bytes]) -> Iterator[bytes]:
    """All in one write."""
    yield b"".join(frames)


def chopped(frames: list[bytes]) -> Iterator[bytes]:
    """Byte by byte; the middle of what is large in pieces."""
    data = b"".join(frames)
    if len(data) < 2000:
        ends = list(range(1, len(data) + 1))
    else:
        ends = [*range(1, 20), *range(20, len(data) - 5, 997), *range(len(data) - 5, len(data) + 1)]
    yield from (data[start:end] for start, end in itertools.pairwise([0, *ends]))


def opened(echo: Endpoint) -> WebSocket:
    """A WebSocket that was opened."""
    return echo.open_websocket()[0]


def exchange(websocket: WebSocket, data: Iterator[bytes]) -> None:
    """Send; the server may have hung up in between."""
    try:
        for each in data:
            websocket.send(each)
    except ConnectionError:
        pass


def answered(echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames) -> None:
    """`frames` are answered by `expected`, and the connection is as good as before."""
    with opened(echo) as websocket:
        exchange(websocket, writes([*frames, HELLO]))
        for each in [*expected, (TEXT, b"4hello")]:
            assert websocket.receive() == each


def refused(echo: Endpoint, writes: Writes, frames: list[bytes], code: int, expected: Frames | None = None) -> None:
    """`frames` are answered by `expected` and a close frame; what follows them is not."""
    with opened(echo) as websocket:
        exchange(websocket, writes([*frames, HELLO]))
        for each in expected or []:
            assert websocket.receive() == each
        assert websocket.receive() == (CLOSE, code.to_bytes(2, "big"))
        websocket.socket.shutdown(1)
        with pytest.raises((EOFError, ConnectionError)):
            websocket.receive()


def part(payload: bytes) -> bytes:
    """A frame that continues a message, and does not end it."""
    return frame(CONTINUATION, payload, final=False)


def begin(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame that begins a message, and does not end it."""
    return frame(opcode, payload, final=False)


def last(payload: bytes) -> bytes:
    """A frame that ends a message."""
    return frame(CONTINUATION, payload)


INVALID: Final = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",  # 6.3.1
    b"\xf8\x88\x80\x80\x80",  # five bytes
    b"\xfc\x84\x80\x80\x80\x80",  # six
    b"\xfb\xbf\xbf\xbf\xbf",
    b"\xf4\x90\x80\x80",  # above U+10FFFF
    b"\xf7\xbf\xbf\xbf",
    b"\x80",  # a continuation of nothing
    b"\xbf",
    b"\x80\xbf\x80",
    b"\xc0 \xc1 ",  # beginnings alone
    b"\xe0 \xef ",
    b"\xf0 \xf4 ",
    b"\xfe",
    b"\xff",
    b"\xc0",  # cut short
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf0\x9f\x9a",
    b"\xc0\xaf",  # longer than needed
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xed\xa0\x80",  # surrogates
    b"\xed\xad\xbf",
    b"\xed\xae\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xed\xaf\xbf\xed\xbf\xbf",
]
