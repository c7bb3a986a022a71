"""The edge from within: what can go wrong between its parts."""

import asyncio
from typing import Any

import pytest

from services.gateway.edge import frames, handshake
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.limits import Limits
from services.gateway.edge.pace import Pace
from services.gateway.edge.polling import Polling
from services.gateway.edge.reading import caught_up
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.shared import Shared
from services.gateway.edge.websocket import WebSocket
from services.gateway.edge.wheel import Wheel
from tests.support.waiting import until


class _Stream:
    """Stands for the event loop's transport: keeps what is written, and sends nothing."""

    def __init__(self, unsent: int = 0) -> None:
        self.unsent = unsent
        self.aborted = False
        self.protocol: Any = None

    def write(self, data: bytes) -> None:
        self.unsent += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def set_write_buffer_limits(self, high: int) -> None: ...

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def resume_reading(self) -> None: ...


class _Handler:
    """Stands for aiohttp's request handler."""

    _message_tail = b""
    transport: Any = None

    def connection_lost(self, exc: Exception | None) -> None: ...


class _Request:
    def __init__(self, stream: _Stream) -> None:
        self.protocol = _Handler()
        self.transport = stream


class _Owner:
    """Stands for the engine, which owns sessions: remembers what it is told."""

    def __init__(self) -> None:
        self.limits = Limits(unsent_most=1000)
        self.pace = Pace(self.limits)
        self.got: list[str | bytes] = []
        self.ends: list[str] = []

    def received(self, session: Session, packet: str | bytes) -> None:
        self.got.append(packet)
        if packet == "4hold":
            session.hold()
        elif packet == "4close":
            session.close(Reason.SERVER)

    def malformed(self, session: Session) -> None:
        session.close(Reason.TRANSPORT_ERROR)

    def ended(self, session: Session, reason: str) -> None:
        del session
        self.ends.append(reason)


async def test_a_socket_taken_over_with_something_unsent_is_behind_from_the_start() -> None:
    """The event loop tells once that it has to wait, and it told aiohttp: here is nobody to be told again."""
    limits = Limits(unsent_most=1000)
    backlog = Backlog(limits)
    stream = _Stream(unsent=500)
    websocket, _ = handshake.take_over(_Request(stream), "key", Shared(limits, backlog))  # type: ignore[arg-type]
    websocket.write(b"x" * 1000)
    assert stream.aborted
    backlog.stop()


def _polling(owner: _Owner, backlog: Backlog) -> tuple[Session, Polling]:
    transport = Polling(backlog)
    session = Session(owner, "sid", transport)
    transport.session = session
    return session, transport


async def test_what_a_poll_left_behind_is_bounded() -> None:
    """A poll that waited takes sixteen packets; the client that never polls again is let go, and counted once."""
    owner = _Owner()
    backlog = Backlog(owner.limits)
    session, transport = _polling(owner, backlog)
    poll = asyncio.ensure_future(transport.poll())
    await asyncio.sleep(0)
    for _ in range(20):
        session.write(frames.message(b"x"))
    assert (await poll).count("\x1e") == 15
    for _ in range(200):
        session.write(frames.message(b"x" * 10))
    assert owner.ends == [Reason.TRANSPORT_ERROR]
    assert not backlog._behind
    backlog.stop()


async def test_what_waits_for_a_poll_is_counted_as_it_is() -> None:
    """A client that never quite catches up is not taken for one that falls behind, in whatever script it reads."""
    owner = _Owner()
    backlog = Backlog(owner.limits)
    session, transport = _polling(owner, backlog)
    session.write(frames.message("ü".encode()) * 20)
    for _ in range(200):
        session.write(frames.message("日本語".encode() * 2) * 16)
        await transport.poll()
        assert transport.unsent == sum(len(str(each).encode()) for each in transport._queue)
    assert not owner.ends
    while transport._queue:
        await transport.poll()
    assert transport.unsent == 0
    backlog.stop()


async def test_a_closed_session_is_in_no_backlog() -> None:
    """Its last packets may wait for polls that never come."""
    owner = _Owner()
    backlog = Backlog(owner.limits)
    session, transport = _polling(owner, backlog)
    poll = asyncio.ensure_future(transport.poll())
    await asyncio.sleep(0)
    session.write(frames.message(b"x") * 40)
    session.close(Reason.SERVER)
    await poll
    assert not backlog._behind
    backlog.stop()


async def test_held_packets_come_in_order_whatever_happens_between() -> None:
    """Each holds those behind it again, a request waits for all of them, and one that closes is the last."""
    owner = _Owner()
    backlog = Backlog(owner.limits)
    session, transport = _polling(owner, backlog)
    for packet in ("4hold", "4a", "4hold", "4b", "4close", "4c"):
        session.receive(packet)
    waiting = asyncio.ensure_future(transport.ready())
    assert owner.got == ["4hold"]
    session.release()
    assert owner.got == ["4hold", "4a", "4hold"]
    await asyncio.sleep(0)
    assert not waiting.done()
    session.release()
    assert owner.got == ["4hold", "4a", "4hold", "4b", "4close"]
    async with asyncio.timeout(5):
        await waiting
    session.receive("4d")
    session.release()
    assert owner.got[-1] == "4close"
    assert owner.ends == [Reason.SERVER]
    backlog.stop()


async def test_several_holds_are_one_until_the_last_is_released() -> None:
    """And what comes in between is handled once."""
    owner = _Owner()
    session, _ = _polling(owner, Backlog(owner.limits))
    session.hold()
    session.hold()
    session.receive("4a")
    session.release()
    assert not owner.got
    session.release()
    assert owner.got == ["4a"]
    session.receive("4b")
    assert owner.got == ["4a", "4b"]


async def test_whoever_is_behind_is_waited_for_and_not_for_ever() -> None:
    """As long as it reads; a held session whose client has gone to sleep ends."""
    owner = _Owner()
    owner.limits = Limits(unsent_most=1000, ping_timeout=0.2)
    backlog = Backlog(owner.limits)
    session, transport = _polling(owner, backlog)
    session.write(frames.message(b"x" * 10) * 60)
    waiting = asyncio.ensure_future(caught_up(session))
    while transport.unsent > 125:
        assert not waiting.done()
        await transport.poll()
        await asyncio.sleep(0)
    await waiting
    assert not session.closed
    session.write(frames.message(b"x" * 10) * 40)
    async with asyncio.timeout(10):
        await caught_up(session)
    assert owner.ends == [Reason.PING_TIMEOUT]
    backlog.stop()


@pytest.mark.parametrize("seconds", [0.0, 0.03])
async def test_a_wheel_goes_on_after_a_failure(seconds: float) -> None:
    """Whatever is due beside it, and later, is handed over."""
    handed: list[int] = []

    def due(number: int) -> None:
        if number == 0:
            raise RuntimeError
        handed.append(number)

    wheel = Wheel(due, tick=0.01)
    for number in range(3):
        wheel.add(number, seconds)
    wheel.add(3, seconds + 0.05)
    await until(lambda: handed == [1, 2, 3], "the others")
    wheel.add(4, seconds)
    await until(lambda: handed == [1, 2, 3, 4], "one more")
    wheel.stop()


def test_a_websocket_is_a_few_objects() -> None:
    """The protocol, its session and the transport have slots: a dictionary each would be a third of a connection."""
    for each in (WebSocket, Session):
        assert not hasattr(each(*_made_for(each)), "__dict__"), f"{each} has a dictionary"


def _made_for(kind: type) -> tuple[Any, ...]:
    """What an object of this kind is made from."""

    class Stream:
        write = staticmethod(bytes)

        def set_write_buffer_limits(self, *, high: int) -> None:
            assert high == 0

    if kind is Session:
        return None, "sid", WebSocket(*_made_for(WebSocket))
    shared = Shared.__new__(Shared)
    return shared, Stream()
