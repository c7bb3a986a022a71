"""RFC 6455 on the wire, after the cases of the Autobahn test suite.

That suite itself cannot be used: PyPI has it (autobahntestsuite 25.10.1), but as Python 2 code, which fails at its
first import under Python 3. So its cases for a server are here: framing (1), pings and pongs (2), reserved bits (3),
opcodes (4), fragmentation (5), UTF-8 (6), closing (7), limits and sizes (9). Of its others,

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
from tests.conformance import server
from tests.conformance.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Endpoint,
    WebSocket,
    closing,
    frame,
)
from tests.conformance.serving import Serving

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


@pytest.fixture(scope="module")
def echo() -> Iterator[Endpoint]:
    """An Engine.IO server that echoes."""
    with Serving(lambda: server.application(("engine.io", server.engineio(LIMITS)))) as serving:
        yield Endpoint(serving.port)


@pytest.fixture(params=[separately, together, chopped], ids=lambda writes: writes.__name__)
def writes(request: pytest.FixtureRequest) -> Writes:
    """How frames are cut into writes."""
    cut: Writes = request.param
    return cut


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


# --- 1: framing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 254, 255, 256, 65_534, 65_535, 65_536, 65_537, MOST])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_messages_of_all_lengths_are_whole(echo: Endpoint, writes: Writes, opcode: int, size: int) -> None:
    """Around each boundary of the three forms of a length."""
    payload = b"4" + b"*" * (size - 1) if opcode == TEXT else bytes(range(256)) * (size // 256) + bytes(size % 256)
    if opcode == TEXT and size == 0:
        payload = b"4"
    answered(echo, writes, [frame(opcode, payload)], [(opcode, payload)])


def test_many_messages_in_one_write_are_answered_in_order(echo: Endpoint, writes: Writes) -> None:
    """Of changing kinds and lengths."""
    sent = [(BINARY if number % 3 else TEXT, b"4" + bytes([65 + number % 26]) * number) for number in range(140)]
    answered(echo, writes, [frame(*each) for each in sent], sent)


# --- 2: pings and pongs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"hello", bytes([0, 255, 254, 253, 0]), b"\xfe" * 125], ids=len)
def test_a_ping_is_answered_with_what_was_in_it(echo: Endpoint, writes: Writes, payload: bytes) -> None:
    """Up to 125 bytes."""
    answered(echo, writes, [frame(PING, payload)], [(PONG, payload)])


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
@pytest.mark.parametrize("size", [126, 127, 65_536])
def test_a_control_frame_has_at_most_125_bytes(echo: Endpoint, writes: Writes, opcode: int, size: int) -> None:
    """5.5."""
    refused(echo, writes, [frame(opcode, b"\xfe" * size)], 1002)


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_control_frame_is_not_fragmented(echo: Endpoint, writes: Writes, opcode: int) -> None:
    """5.5."""
    refused(echo, writes, [frame(opcode, final=False), frame(CONTINUATION)], 1002)


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
def test_a_pong_that_nobody_asked_for_is_ignored(echo: Endpoint, writes: Writes, payload: bytes) -> None:
    """2.7 to 2.9: also before a ping."""
    answered(echo, writes, [frame(PONG, payload), frame(PING, b"x")], [(PONG, b"x")])


def test_many_pings_are_all_answered(echo: Endpoint, writes: Writes) -> None:
    """2.10, 2.11: in order."""
    payloads = [b"payload-%d" % number for number in range(10)]
    answered(echo, writes, [frame(PING, each) for each in payloads], [(PONG, each) for each in payloads])


# --- 3 and 4: reserved bits and opcodes -----------------------------------------------------------------------------


@pytest.mark.parametrize("reserved", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
def test_reserved_bits_are_refused(echo: Endpoint, writes: Writes, opcode: int, reserved: int) -> None:
    """No extension gives them a meaning; what came before is answered."""
    refused(echo, writes, [HELLO, frame(opcode, b"4x", reserved=reserved)], 1002, [(TEXT, b"4hello")])


@pytest.mark.parametrize("payload", [b"", b"4x"])
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_are_refused(echo: Endpoint, writes: Writes, opcode: int, payload: bytes) -> None:
    """What came before is answered."""
    refused(echo, writes, [HELLO, frame(opcode, payload)], 1002, [(TEXT, b"4hello")])


# --- 5: fragmentation -----------------------------------------------------------------------------------------------


def part(payload: bytes) -> bytes:
    """A frame that continues a message, and does not end it."""
    return frame(CONTINUATION, payload, final=False)


def begin(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame that begins a message, and does not end it."""
    return frame(opcode, payload, final=False)


def last(payload: bytes) -> bytes:
    """A frame that ends a message."""
    return frame(CONTINUATION, payload)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([begin(b"4one"), last(b"two")], [(TEXT, b"4onetwo")]),
        ([begin(b"one", BINARY), last(b"two")], [(BINARY, b"onetwo")]),
        ([begin(b"4"), part(b"a"), part(b"b"), last(b"c")], [(TEXT, b"4abc")]),
        ([begin(b""), part(b""), last(b"4x")], [(TEXT, b"4x")]),
        ([begin(b"4x"), part(b""), last(b"")], [(TEXT, b"4x")]),
        ([begin(b"", BINARY), last(b"")], [(BINARY, b"")]),
        ([begin(b"4one"), frame(PING, b"p"), last(b"two")], [(PONG, b"p"), (TEXT, b"4onetwo")]),
        ([begin(b""), frame(PING), last(b"4x")], [(PONG, b""), (TEXT, b"4x")]),
        ([begin(b"4"), frame(PONG, b"p"), part(b"a"), frame(PING, b"q"), last(b"b")], [(PONG, b"q"), (TEXT, b"4ab")]),
        ([begin(b"4x" * 20_000), part(b"y" * 20_000), last(b"z")], [(TEXT, b"4x" * 20_000 + b"y" * 20_000 + b"z")]),
        ([begin(b"4" + b"x" * (MOST - 2)), last(b"z")], [(TEXT, b"4" + b"x" * (MOST - 2) + b"z")]),
        ([begin(b"4")] + [part(b"x")] * 500 + [last(b"")], [(TEXT, b"4" + b"x" * 500)]),
    ],
)
def test_fragments_are_one_message(echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames) -> None:
    """Empty ones among them; control frames come through at once."""
    answered(echo, writes, frames, expected)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([last(b"4x")], []),
        ([last(b"")], []),
        ([part(b"4x"), last(b"y")], []),
        ([begin(b"4x"), last(b"y"), last(b"z")], [(TEXT, b"4xy")]),
        ([begin(b"4x"), last(b"y"), part(b"z")], [(TEXT, b"4xy")]),
        ([begin(b"4x"), frame(TEXT, b"4y")], []),
        ([begin(b"4x"), frame(BINARY, b"y")], []),
        ([begin(b"4x"), begin(b"4y")], []),
        ([begin(b"4x"), part(b"y"), begin(b"z", BINARY)], []),
        ([begin(b""), frame(TEXT, b"4y")], []),
        ([begin(b""), frame(BINARY, b"y"), last(b"")], []),
        ([begin(b"4x"), frame(PING, b"p"), frame(TEXT, b"4y")], [(PONG, b"p")]),
    ],
)
def test_fragments_out_of_order_are_refused(
    echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames
) -> None:
    """A continuation of nothing, and a message within another one."""
    refused(echo, writes, frames, 1002, expected)


# --- 6: UTF-8 -------------------------------------------------------------------------------------------------------

VALID: Final = [
    "κόσμε",
    "Hello-µ@ßöäüàá-UTF-8!!",
    "\0",
    "\x7f",
    "\x80",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\ufffd",
    "\ufffe",
    "\uffff",
    "\ufdd0",
    "\ufeff",
    "\U00010000",
    "\U0001fffe",
    "\U0010fffe",
    "\U0010ffff",
    "𝕳ä€\0x" * 50,
]
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


def cut(payload: bytes, every: int) -> list[bytes]:
    """The frames of a text message in parts, within code points too."""
    parts = [payload[start : start + every] for start in range(0, len(payload), every)]
    first, *rest = parts
    return [begin(first), *map(part, rest), last(b"")]


@pytest.mark.parametrize("every", [0, 1, 2, 3])
@pytest.mark.parametrize("text", VALID, ids=ascii)
def test_valid_text_is_echoed(echo: Endpoint, text: str, every: int) -> None:
    """Noncharacters too; also when a code point is in several frames."""
    payload = b"4" + text.encode()
    answered(echo, separately, cut(payload, every) if every else [frame(TEXT, payload)], [(TEXT, payload)])


@pytest.mark.parametrize("every", [0, 1, 2, 3])
@pytest.mark.parametrize("payload", INVALID, ids=ascii)
def test_invalid_text_is_refused(echo: Endpoint, payload: bytes, every: int) -> None:
    """With 1007, wherever in a message it is; the same bytes are welcome as binary."""
    for text in (b"4" + payload, b"4valid " + payload + b" valid"):
        refused(echo, separately, cut(text, every) if every else [frame(TEXT, text)], 1007)
    answered(echo, together, [frame(BINARY, payload)], [(BINARY, payload)])


# --- 7: closing -----------------------------------------------------------------------------------------------------


def closed(echo: Endpoint, writes: Writes, frames: list[bytes], code: int, expected: Frames | None = None) -> None:
    """The same as `refused`; and the server ends the connection by itself."""
    with opened(echo) as websocket:
        exchange(websocket, writes(frames))
        for each in expected or []:
            assert websocket.receive() == each
        assert websocket.receive() == (CLOSE, code.to_bytes(2, "big"))
        with pytest.raises((EOFError, ConnectionError)):
            websocket.receive()


@pytest.mark.parametrize(
    "frames",
    [[HELLO], [HELLO, frame(CLOSE), HELLO], [HELLO, frame(CLOSE), frame(CLOSE)], [HELLO, frame(CLOSE), frame(PING)]],
    ids=["close", "then-text", "then-close", "then-ping"],
)
def test_a_close_is_answered_once_and_ends_all(echo: Endpoint, writes: Writes, frames: list[bytes]) -> None:
    """Nothing that comes after it has any effect."""
    closed(echo, writes, frames if len(frames) > 1 else [*frames, frame(CLOSE)], 1000, [(TEXT, b"4hello")])


def test_a_close_ends_a_message_that_is_not_whole(echo: Endpoint, writes: Writes) -> None:
    """7.1.5: it is dropped."""
    closed(echo, writes, [begin(b"4never"), closing(1000), last(b" whole")], 1000)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
)
@pytest.mark.parametrize("reason", [b"", "gründe".encode(), b"*" * 123], ids=len)
def test_a_code_that_clients_may_send_is_echoed(echo: Endpoint, code: int, reason: bytes) -> None:
    """Those of the RFC, of IANA's registry, of libraries and of applications."""
    closed(echo, separately, [closing(code, reason)], code)


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
@pytest.mark.parametrize("reason", [b"", b"reason"])
def test_a_code_that_nobody_may_send_is_refused(echo: Endpoint, writes: Writes, code: int, reason: bytes) -> None:
    """With 1002."""
    closed_or_refused(echo, writes, closing(code, reason), 1002)


def closed_or_refused(echo: Endpoint, writes: Writes, sent: bytes, code: int) -> None:
    """Whether the server waits for an answer to its close frame is its own affair."""
    with opened(echo) as websocket:
        exchange(websocket, writes([sent]))
        assert websocket.end() == code


def test_a_close_frame_of_one_byte_is_refused(echo: Endpoint, writes: Writes) -> None:
    """A code has two."""
    closed_or_refused(echo, writes, frame(CLOSE, b"\x03"), 1002)


@pytest.mark.parametrize("reason", INVALID[:8], ids=ascii)
def test_a_reason_is_utf8(echo: Endpoint, writes: Writes, reason: bytes) -> None:
    """7.5.1."""
    closed_or_refused(echo, writes, closing(1000, reason), 1007)


@pytest.mark.parametrize("end", ["eof", "reset"])
@pytest.mark.parametrize("sent", [b"", HELLO[:1], HELLO[:2], HELLO[:-1], begin(b"4x")], ids=len)
def test_a_connection_that_just_ends_is_ended(echo: Endpoint, sent: bytes, end: str) -> None:
    """Wherever in a frame; others do not notice."""
    with opened(echo) as other:
        websocket = opened(echo)
        websocket.send(sent)
        if end == "eof":
            websocket.socket.shutdown(1)
            with pytest.raises((EOFError, ConnectionError)):
                websocket.receive()
        websocket.socket.close()
        other.send(HELLO)
        assert other.receive() == (TEXT, b"4hello")


# --- masks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([frame(TEXT, b"4x", masked=False)], []),
        ([frame(TEXT, b"", masked=False)], []),
        ([frame(PING, b"x", masked=False)], []),
        ([frame(CLOSE, masked=False)], []),
        ([frame(BINARY, b"x" * 300, masked=False)], []),
        ([frame(BINARY, b"x" * 66_000, masked=False)], []),
        ([HELLO, frame(TEXT, b"4x", masked=False)], [(TEXT, b"4hello")]),
        ([HELLO, HELLO, frame(PING, masked=False)], [(TEXT, b"4hello")] * 2),
        ([begin(b"4x"), frame(CONTINUATION, b"y", masked=False)], []),
        ([begin(b"4x"), frame(PING, b"y", masked=False), last(b"")], []),
    ],
)
def test_an_unmasked_frame_is_refused(echo: Endpoint, writes: Writes, frames: list[bytes], expected: Frames) -> None:
    """5.1: wherever it is; what came before it is answered."""
    refused(echo, writes, frames, 1002, expected)


# --- 9: limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frames",
    [
        [frame(BINARY, b"x" * (MOST + 1))],
        [frame(TEXT, b"4" * (MOST + 1))],
        [begin(b"x" * MOST, BINARY), last(b"y")],
        [begin(b"x" * (MOST + 1), BINARY)],
        [begin(b"x", BINARY), part(b"y" * MOST)],
        [frame(BINARY, b"x" * 10)[:1] + b"\xff" + (2**62).to_bytes(8, "big") + b"mask"],
        [frame(BINARY, b"x" * 10)[:1] + b"\xff" + (2**64 - 1).to_bytes(8, "big") + b"mask"],
    ],
    ids=["binary", "text", "fragments", "first", "second", "2^62", "2^64"],
)
def test_a_message_above_the_limit_is_refused(echo: Endpoint, writes: Writes, frames: list[bytes]) -> None:
    """With 1009, before it has come whole."""
    refused(echo, writes, frames, 1009)


def test_no_extension_is_agreed_on(echo: Endpoint) -> None:
    """A client that offers compression is served without."""
    headers = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    with WebSocket(echo.port, echo.target(transport="websocket"), headers) as websocket:
        assert "extensions" not in websocket.answer.lower()
        assert websocket.packet()
        websocket.send(HELLO)
        assert websocket.receive() == (TEXT, b"4hello")


@pytest.mark.parametrize("size", [0, 1, 3, len(HELLO), 2 * len(HELLO)])
def test_frames_may_come_with_the_handshake(echo: Endpoint, size: int) -> None:
    """A client that does not wait for the answer loses nothing."""
    sent = 2 * HELLO
    with WebSocket(echo.port, echo.target(transport="websocket"), tail=sent[:size]) as websocket:
        websocket.send(sent[size:])
        assert str(websocket.packet()).startswith("0{")
        assert [websocket.receive() for _ in range(2)] == [(TEXT, b"4hello")] * 2
