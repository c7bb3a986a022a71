"""Resuming: whatever happens meanwhile, a client is told what it missed once and in order, and then is live."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.listening import Delivery
from runtime.stream import Entry
from services.gateway import missed, replay, replay_memory, resuming
from services.gateway import relay as relay_module
from services.gateway.connection import Connection
from services.gateway.edge import reading
from services.gateway.edge.limits import Limits
from services.gateway.edge.session import Reason, Session
from services.gateway.fanout import FanOut
from services.gateway.joining import Joining
from services.gateway.missed import Missed
from services.gateway.relay import Relay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.replies import Joined
from services.gateway.requests import Join
from services.gateway.resuming import Resuming
from services.gateway.rooms import Rooms
from tests.support.edge import NOBODY_ASKS, Current, Ears, Wire
from wire import codec
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage, GetPage, Page, StoredMessage, User

MISSED_MOST: Final = 8
A_PAGE: Final = 3
"""Messages that fit in one page of history from the newest on, whatever was asked for."""
KEPT: Final = 12
"""Messages that are kept for those who resume."""
MESSAGE_BYTES: Final = 150
BODY_BYTES: Final = 50
UNSENT_MOST: Final = 16 * MESSAGE_BYTES

_ids = itertools.count()


@contextmanager
def _small(kept: int = KEPT) -> Iterator[None]:
    """Bounds that a few messages exceed, and nothing to wait for."""
    with (
        mock.patch.object(resuming, "MISSED_MOST", MISSED_MOST),
        mock.patch.object(resuming, "_PORTION_BYTES", 1),
        mock.patch.object(replay, "_PACKET_COSTS", 0),
        mock.patch.object(replay, "_STRETCH_COSTS", 0),
        mock.patch.object(replay, "_LIVE_BYTES", 2 * MESSAGE_BYTES),
        mock.patch.object(replay_memory, "_MOST_BYTES", kept * MESSAGE_BYTES),
        mock.patch.object(missed, "_WITHOUT_HISTORY_SECONDS", 0),
        mock.patch.object(reading, "_LOOK_SECONDS", 0),
        mock.patch.object(relay_module, "_SHORTEST_PAUSE", 0),
    ):
        yield


class _SlowWire(Wire):
    """A transport whose client reads when a test says so."""

    def write(self, data: bytes, /) -> None:
        super().write(data)
        self.unsent += len(data)

    def read(self, size: int) -> None:
        """The client reads."""
        self.unsent = max(0, self.unsent - size)

    @property
    def messages(self) -> list[StoredMessage]:
        """Those that came."""
        return [_read(packet) for packet in self.packets if str(packet).startswith("42")]

    @property
    def before_the_ack(self) -> list[StoredMessage]:
        """Those that came before the join was acknowledged."""
        before = itertools.takewhile(lambda packet: packet != "43", self.packets)
        return [_read(packet) for packet in before]


def _read(packet: str | bytes) -> StoredMessage:
    name, message = msgspec.json.decode(str(packet)[2:], type=tuple[str, StoredMessage])
    assert name == "message"
    return message


class _World:
    """A gateway's room, with what stands behind it: what is stored, what is live, and a history that takes its time.

    Messages are stored as the stream does, and then live once, or lost; history answers when `answer` says so.
    """

    def __init__(self, *, seconds: float = 5) -> None:
        self.stored: list[int] = []
        self.unreadable: set[int] = set()
        """Of these: nobody can decode them, and history has put them aside."""
        self.live: deque[tuple[int, int]] = deque()
        self.asked: deque[tuple[GetPage, asyncio.Future[Page]]] = deque()
        self.most_at_once = 0
        self.told: list[int] = []
        """The seqs of all pages that history gave."""
        self.oldest = 0
        """The stream has forgotten what was before it."""
        self.client = self
        self.is_connected = True
        self.fan_out = FanOut(0)
        self.control = Current()
        self.relay = Relay(self.fan_out, self, self.control, NOBODY_ASKS)  # type: ignore[arg-type]
        self.rooms = Rooms(self, self.relay.on_live, self.last_seq, NOBODY_ASKS, linger=0)  # type: ignore[arg-type]
        missed = Missed(self.page, self, ReplayMemory())  # type: ignore[arg-type]
        telling = Resuming(self.fan_out, missed, self.control, seconds=seconds)  # type: ignore[arg-type]
        self.joining = Joining(self.fan_out, self.rooms, self.relay, telling)

    # --- what stands for the bus, the stream and history ------------------------------------------------------------

    def listen(self, _subject: str, _on_message: Any) -> Any:
        return mock.Mock()

    async def last_seq(self, _room: str) -> int:
        return self.stored[-1] if self.stored else 0

    async def holds(self, _room: str, seq: int) -> bool:
        return seq in self.stored and seq >= self.oldest

    async def between(self, room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        for seq in list(self.stored):
            if after < seq <= upto:
                await asyncio.sleep(0)
                yield Entry(seq, _chat(room, seq))

    async def page(self, request: GetPage) -> Page:
        answer: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        self.asked.append((request, answer))
        self.most_at_once = max(self.most_at_once, len(self.asked))
        return await answer

    # --- what may happen --------------------------------------------------------------------------------------------

    def store(self, step: int = 1) -> None:
        """Somebody says something."""
        last = self.stored[-1] if self.stored else 0
        self.stored.append(last + step)
        self.live.append((last + step, last))

    def hear(self) -> None:
        """The oldest that was not live yet is."""
        if self.live and (room := self.rooms.opened("r")) is not None:
            self.relay.on_live(room, _delivery(*self.live.popleft()))

    def lose(self) -> None:
        """The oldest that was not live yet never is; not the last, for the next shows that it is gone."""
        if len(self.live) > 1:
            self.live.popleft()

    def answer(self) -> None:
        """History answers the oldest request."""
        while self.asked:
            request, answer = self.asked.popleft()
            if not answer.done():  # nobody waits any more
                answer.set_result(self._page(request))
                return

    def _page(self, request: GetPage) -> Page:
        after, before = request.after or 0, request.before
        readable = [seq for seq in self.stored if seq not in self.unreadable]
        found = [seq for seq in readable if after < seq and (before is None or seq < before)]
        # Sizes vary, so that pages of the one kind do not begin where those of the other do.
        most = min(A_PAGE + (before is None), request.limit)
        shown = found[:most] if before is None else found[-most:]
        self.told += shown
        messages = []
        for seq in shown:
            prev = max((each for each in readable if each < seq), default=0)
            messages.append(StoredMessage.of(_chat(request.room, seq), room=request.room, seq=seq, prev=prev))
        return Page(messages=messages, more=len(shown) < len(found))

    # --- clients ----------------------------------------------------------------------------------------------------

    def connection(self) -> tuple[Connection, _SlowWire]:
        """One that reads when a test says so."""
        wire, owner, id = _SlowWire(), Ears(), f"c{next(_ids)}"
        owner.limits = Limits(unsent_most=UNSENT_MOST)
        bearer = Verified(user=User(id=id, display_name=id), session="s", expires_at=0, issued_at=0)
        return Connection(id, bearer, Session(owner, id, wire)), wire

    async def join(self, connection: Connection, after: int | None) -> Joined:
        """Join, and acknowledge in the same turn, as `Events` does."""
        ack = await self.joining.join(connection, Join(room="r", after=after))
        self.fan_out.send(connection, b"3")
        return ack


def _chat(room: str, seq: int) -> ChatMessage:
    body = "x" * BODY_BYTES
    return ChatMessage(id=f"{room}-{seq}", author=Author(id="u", display_name="U"), body=body, ts=1)


def _delivery(seq: int, prev: int) -> Delivery:
    headers = f"Nats-Sequence: {seq}\r\nNats-Last-Sequence: {prev}\r\nNats-Time-Stamp: 2026-01-01T00:00:00.123456789Z"
    return Delivery(b"live.room.r.message", codec.encode(_chat("r", seq)), f"NATS/1.0\r\n{headers}\r\n\r\n".encode())


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def _run(scenario: Coroutine[Any, Any, None], kept: int = KEPT) -> None:
    loop = asyncio.new_event_loop()
    try:
        with _small(kept):
            loop.run_until_complete(scenario)
    finally:
        loop.close()


_step = st.tuples(
    st.sampled_from(["store", "store", "hear", "hear", "lose", "answer", "answer", "read", "turn"]),
    st.integers(1, 4),
)


@given(
    before=st.lists(st.integers(1, 3), min_size=1, max_size=14),
    back=st.integers(1, 14),
    clients=st.integers(1, 3),
    steps=st.lists(_step, max_size=60),
    kept=st.sampled_from([A_PAGE + 1, KEPT, 1000]),
)
@settings(max_examples=500, deadline=None)
def test_whatever_happens_meanwhile_all_is_told_once_and_in_order(
    before: list[int], back: int, clients: int, steps: list[tuple[str, int]], kept: int
) -> None:
    """The newest of what was missed, and all that came since: live, late, lost on the way, or while others read.

    And no range is read twice, if it can be kept.
    """
    _run(_interleaved(before, back, clients, steps, kept), kept)


async def _interleaved(before: list[int], back: int, clients: int, steps: list[tuple[str, int]], kept: int) -> None:
    world = _World()
    for gap in before:
        world.store(gap)
    world.live.clear()
    witness, seen = world.connection()
    await world.join(witness, None)
    missed = world.stored[-back:]
    afters = [missed[min(number, len(missed) - 1)] - 1 for number in range(clients)]
    peers = [world.connection() for _ in range(clients)]
    joins = [asyncio.ensure_future(world.join(each, after)) for (each, _), after in zip(peers, afters, strict=True)]
    await _turns(1)
    for what, number in steps:
        if what == "read":
            peers[number % clients][1].read(number * MESSAGE_BYTES)
        elif what == "store":
            world.store(number)
        elif what == "turn":
            await _turns(number)
        else:
            getattr(world, what)()
        await _turns(number % 2)
    while not all(each.done() for each in joins) or world.live:
        world.hear()
        world.answer()
        for _, wire in peers:
            wire.read(MESSAGE_BYTES)
        await _turns(1)
    world.store()
    world.hear()
    while world.relay._tasks:
        await _turns(1)
    await _turns(2)

    began, ended = len(before), len(world.stored)
    assert [each.seq for each in seen.messages] == world.stored[began:ended]
    prevs = dict(zip(world.stored, [0, *world.stored], strict=False))
    for (_, wire), join, after in zip(peers, joins, afters, strict=True):
        since = [seq for seq in missed if seq > after]
        expected = [*since[-MISSED_MOST:], *world.stored[began:]]
        ack, told = join.result(), wire.messages
        assert [each.seq for each in told] == expected
        assert [each.prev for each in told] == [prevs[seq] for seq in expected]
        assert ack.truncated == (len(since) > MISSED_MOST)
        assert ack.missed == len(wire.before_the_ack)
        assert ack.seq == wire.before_the_ack[-1].seq
        assert wire.packets.count("43") == 1
    assert kept < 1000 or len(world.told) == len(set(world.told))


async def _joining(world: _World, count: int) -> tuple[Connection, _SlowWire, asyncio.Task[Joined]]:
    """A client that has missed `count` messages, and begins to join."""
    for _ in range(count + 1):
        world.store()
    world.live.clear()
    client, wire = world.connection()
    join = asyncio.create_task(world.join(client, 1))
    while not world.asked:
        await _turns(1)
    return client, wire, join


def test_what_is_stored_and_was_not_heard_yet_comes_live() -> None:
    """History is ahead of what NATS brings: what a page holds of that is not told twice."""

    async def scenario() -> None:
        world = _World()
        _, wire, join = await _joining(world, A_PAGE + 1)
        for _ in range(2):
            world.store()
        while not join.done():
            world.answer()
            wire.read(1 << 20)
            await _turns(1)
        for _ in range(2):
            world.hear()
        await _turns(5)
        assert [each.seq for each in wire.messages] == world.stored[1:]
        assert (join.result().missed, join.result().seq) == (A_PAGE + 1, world.stored[-3])

    _run(scenario())


@pytest.mark.parametrize("unreadable", [1, A_PAGE + 2])
def test_what_nobody_can_read_is_not_waited_for(unreadable: int) -> None:
    """The newest messages of a room, which count for its last seq, and are in no page."""

    async def scenario() -> None:
        world = _World()
        _, wire, join = await _joining(world, A_PAGE + 2)
        world.unreadable = set(world.stored[-unreadable:])
        while not join.done():
            world.answer()
            wire.read(1 << 20)
            await _turns(1)
        assert [each.seq for each in wire.messages] == world.stored[1:-unreadable]
        assert (join.result().missed, join.result().seq) == (A_PAGE + 2 - unreadable, world.stored[-1])

    _run(scenario())


def test_a_client_that_does_not_read_is_sent_no_more_than_part_of_what_may_wait_for_it() -> None:
    """History is not even asked for more, and what comes live is not kept for it beyond what is for all."""

    async def scenario() -> None:
        world = _World()
        client, wire, join = await _joining(world, MISSED_MOST)
        for _ in range(100):
            world.answer()
            world.store()
            world.hear()
            await _turns(3)
        room = world.rooms.opened("r")
        assert room is not None
        assert room.replay is not None
        assert sum(each.size for each in room.replay.stretches) <= KEPT * MESSAGE_BYTES
        assert not world.asked
        assert wire.unsent <= UNSENT_MOST // 4 + 2 * MESSAGE_BYTES
        client.session.abort(Reason.TRANSPORT_ERROR)
        with pytest.raises(ParleyError) as refused:
            await join
        assert refused.value.code is ErrorCode.NOT_JOINED
        assert client not in room.members
        assert not room.resuming

    _run(scenario())


def test_a_client_that_is_slower_than_its_room_is_told_so_and_goes_on_from_there() -> None:
    """It has a beginning of what it missed, without a hole, and is no member; its next join goes on behind it."""

    async def scenario() -> None:
        world = _World(seconds=0.05)
        client, wire, join = await _joining(world, 4)
        while not join.done():
            world.store()
            world.hear()
            world.answer()
            wire.read(MESSAGE_BYTES // 4)
            await _turns(1)
        with pytest.raises(ParleyError) as refused:
            join.result()
        assert (refused.value.code, refused.value.retry_after) == (ErrorCode.UNAVAILABLE, 1)
        room = world.rooms.opened("r")
        assert room is None or (client not in room.members and not room.resuming)
        told = [each.seq for each in wire.messages]
        assert told == world.stored[1 : 1 + len(told)]

        again = asyncio.ensure_future(world.join(client, told[-1]))
        while not again.done():
            world.answer()
            wire.read(1 << 20)
            await _turns(1)
        missed = world.stored[1 + len(told) :][-MISSED_MOST:]
        assert [each.seq for each in wire.messages] == told + missed

    _run(scenario())


def test_clients_that_resume_at_once_share_what_is_read_for_one() -> None:
    """A hundred who missed the same, and a little more or less, while the room goes on: nothing is read twice."""

    async def scenario() -> None:
        world = _World()
        _, wire, first = await _joining(world, MISSED_MOST - 2)
        joins, everybody = [first], [(wire, 1)]
        for number in range(100):
            (peer, its_wire), after = world.connection(), 1 + number % 3
            joins.append(asyncio.create_task(world.join(peer, after)))
            everybody.append((its_wire, after))
        while not all(each.done() for each in joins):
            world.answer()
            world.store()
            world.hear()
            for each, _ in everybody:
                each.read(1 << 20)
            await _turns(1)
        await _turns(5)
        for each, after in everybody:
            assert [message.seq for message in each.messages] == world.stored[after:]
        assert len(world.told) == MISSED_MOST - 2

    _run(scenario(), 1000)


def test_history_that_does_not_answer_fails_all_who_wait_and_leaves_nothing() -> None:
    """It is asked once for all of them, and the stream has forgotten; the next join starts afresh."""

    async def scenario() -> None:
        world = _World()
        client, wire, join = await _joining(world, 4)
        world.oldest = 2
        another, _ = world.connection()
        other = asyncio.ensure_future(world.join(another, 1))
        await _turns(3)
        ((_, asked),) = world.asked
        asked.set_exception(ParleyError(ErrorCode.UNAVAILABLE, "not now"))
        world.asked.clear()
        for each in (join, other):
            with pytest.raises(ParleyError) as refused:
                await each
            assert refused.value.code is ErrorCode.UNAVAILABLE
        again = asyncio.ensure_future(world.join(client, 1))
        await _turns(5)
        while not again.done():
            world.answer()
            wire.read(1 << 20)
            await _turns(1)
        assert [each.seq for each in wire.messages] == world.stored[1:]

    _run(scenario())


def test_the_stream_is_read_while_history_does_not_answer() -> None:
    """With the same outcome, and history is not asked again for a while."""

    async def scenario() -> None:
        world = _World()
        with mock.patch.object(missed, "_WITHOUT_HISTORY_SECONDS", 60):
            _, wire, join = await _joining(world, A_PAGE + 2)
            world.asked.popleft()[1].set_exception(ParleyError(ErrorCode.UNAVAILABLE, "not now"))
            while not join.done():
                wire.read(1 << 20)
                await _turns(1)
            assert (join.result().missed, join.result().truncated) == (A_PAGE + 2, False)
            world.stored.insert(0, 0)
            late, second = world.connection()
            again = asyncio.ensure_future(world.join(late, 0))
            while not again.done():
                second.read(1 << 20)
                await _turns(1)
            assert again.result().missed == A_PAGE + 3
        for each, since in ((wire, 2), (second, 1)):
            assert [message.seq for message in each.messages] == world.stored[since:]
            assert [message.prev for message in each.messages] == world.stored[since - 1 : -1]
        assert not world.asked

    _run(scenario(), 1000)


@pytest.mark.parametrize("bound", [("PAGE_MOST", A_PAGE), ("_STREAM_MOST_BYTES", A_PAGE * BODY_BYTES)])
def test_the_stream_is_not_read_for_much(bound: tuple[str, int]) -> None:
    """One round trip a message, and all of it in memory: above a bound there is nobody but history to ask."""

    async def scenario() -> None:
        world = _World()
        with mock.patch.object(missed, *bound):
            _, wire, join = await _joining(world, A_PAGE + 1)
            world.asked.popleft()[1].set_exception(ParleyError(ErrorCode.UNAVAILABLE, "not now"))
            with pytest.raises(ParleyError) as refused:
                await join
        assert refused.value.code is ErrorCode.UNAVAILABLE
        assert wire.messages == []

    _run(scenario())


async def _ended_meanwhile() -> None:
    world = _World()
    for _ in range(3):
        world.store()
    one, wire = world.connection()
    joining = asyncio.ensure_future(world.join(one, 0))
    await _turns(9)
    one.has_ended = True
    world.answer()
    world.answer()
    with pytest.raises(ParleyError) as refused:
        await joining
    assert refused.value.code is ErrorCode.NOT_JOINED
    assert not one.session.closed
    assert not one.rooms
    assert not wire.messages


def test_a_connection_that_has_ended_is_not_let_in() -> None:
    """Nor told anything, although its session goes on."""
    _run(_ended_meanwhile())


async def _not_known_meanwhile() -> None:
    world = _World()
    for _ in range(3):
        world.store()
    one, wire = world.connection()
    joining = asyncio.ensure_future(world.join(one, 0))
    await _turns(9)
    world.control.is_current = False
    world.answer()
    world.answer()
    with pytest.raises(ParleyError) as refused:
        await joining
    assert refused.value.code is ErrorCode.UNAVAILABLE
    assert not one.rooms
    assert not wire.messages


def test_nobody_is_told_anything_while_it_is_not_known_who_may_be_here() -> None:
    """Although it can be read."""
    _run(_not_known_meanwhile())
