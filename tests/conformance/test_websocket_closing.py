"""RFC 6455: how a connection ends. See `rfc6455`."""

import pytest

from tests.conformance.raw import CLOSE, PING, TEXT, Endpoint, closing, frame
from tests.conformance.rfc6455 import HELLO, INVALID, Frames, Writes, begin, exchange, last, opened, separately


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
