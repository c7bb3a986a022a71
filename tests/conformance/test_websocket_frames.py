"""RFC 6455: lengths, control frames, reserved bits and opcodes, masks and limits. See `rfc6455`."""

import pytest

from tests.conformance.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Endpoint, WebSocket, frame
from tests.conformance.rfc6455 import HELLO, MOST, Frames, Writes, answered, begin, last, part, refused


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
