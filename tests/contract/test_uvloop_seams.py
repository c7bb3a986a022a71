"""What the edge relies on in uvloop, and nobody promises: see `test_versions`."""

import asyncio
import socket

import uvloop

from tests.support.waiting import until


class Told(asyncio.Protocol):
    """Writes down when it is to pause, and what it was sent."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data: list[bytes] = []

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.told.append("pause")

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.told.append("resume")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.data.append(data)


async def connected() -> tuple[asyncio.Transport, Told, socket.socket]:
    """A transport and its protocol, and the other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, told = await asyncio.get_running_loop().create_connection(Told, sock=ours)
    transport.set_write_buffer_limits(high=0)
    return transport, told, theirs


def test_a_write_goes_out_at_once() -> None:
    """While nothing waits it is in the socket's buffer when `write` returns, and nobody is told to pause."""

    async def check() -> None:
        transport, told, theirs = await connected()
        with theirs:
            for number in range(3):
                transport.write(b"frame %d" % number)
                assert theirs.recv(100) == b"frame %d" % number, "uvloop writes later: read edge/websocket.py"
                assert transport.get_write_buffer_size() == 0
            assert told.told == []
            transport.abort()

    uvloop.run(check())


def test_who_falls_behind_is_told_as_soon_as_anything_waits() -> None:
    """With `high=0`, at the first byte, within `write`; and to go on once nothing waits."""

    async def check() -> None:
        transport, told, theirs = await connected()
        with theirs:
            while not transport.get_write_buffer_size():
                assert told.told == []
                transport.write(b"x" * 65536)
            assert told.told == ["pause"], "read uvloop's write and edge/backlog.py"
            waiting = transport.get_write_buffer_size()
            transport.write(b"y" * 10)
            assert transport.get_write_buffer_size() == waiting + 10, "what waits is not counted as it was"
            assert told.told == ["pause"]
            async with asyncio.timeout(10):
                while "resume" not in told.told:
                    try:
                        theirs.recv(1 << 20)
                    except BlockingIOError:
                        await asyncio.sleep(0)
            assert told.told == ["pause", "resume"]
            assert transport.get_write_buffer_size() == 0
            transport.abort()

    uvloop.run(check())


def test_another_protocol_may_take_over_a_transport() -> None:
    """From `set_protocol` on it gets what comes, and the end; reading may be paused and resumed twice over."""

    async def check() -> None:
        transport, first, theirs = await connected()
        with theirs:
            second = Told()
            transport.set_protocol(second)
            theirs.send(b"hello")
            await until(lambda: len(second.data) == 1, "what was sent")
            transport.pause_reading()
            transport.pause_reading()
            transport.resume_reading()
            transport.resume_reading()
            theirs.send(b"again")
            await until(lambda: len(second.data) == 2, "the rest")
            assert (first.data, second.data) == ([], [b"hello", b"again"]), "read edge/handshake.py"
            transport.abort()

    uvloop.run(check())
