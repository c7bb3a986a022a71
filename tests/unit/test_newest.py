"""Events for those who are behind: the newest of each name and sender, once they have caught up, and no backlog."""

import itertools
import json
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec import Raw

from services.gateway import fanout
from services.gateway.connection import Connection
from services.gateway.edge import backlog, frames, metrics
from services.gateway.edge.backlog import Backlog
from services.gateway.edge.limits import Limits
from services.gateway.edge.newest import KEPT_MOST, Newest
from services.gateway.edge.polling import PACKETS_A_POLL, Polling
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.shared import Shared
from services.gateway.edge.upgrade import Upgrade
from services.gateway.edge.websocket import WebSocket
from services.gateway.fanout import FanOut
from services.gateway.pushes import EventShown
from services.gateway.rooms import Room
from tests.support.edge import Clockwork, Ears, Wire, connection
from wire.messages import Author, StoredMessage

MOST: Final = 10_000


class _Watch:
    """Adds up what is kept."""

    def __init__(self) -> None:
        self.total = 0

    def kept(self, size: int) -> None:
        """See `newest.Watch`."""
        self.total += size


def _superseded(reason: str) -> float:
    return float(metrics.superseded.labels(reason=reason)._value.get())


def test_of_each_key_the_newest_is_kept_in_the_order_in_which_they_came() -> None:
    """What it took the place of is counted."""
    watch, before = _Watch(), _superseded("newer")
    newest = Newest(watch, MOST)
    for key, frame in (("a", b"a1"), ("b", b"b1"), ("a", b"a2"), ("c", b"c1"), ("b", b"b2")):
        newest.put(("room", key), frame)
    assert newest.frames() == b"a2c1b2"
    assert (newest.size, watch.total) == (6, 6)
    assert _superseded("newer") == before + 2


def test_what_is_kept_is_bounded_in_number_and_in_bytes() -> None:
    """Those go that were renewed the longest ago, and are counted; one that is too large for all goes itself."""
    watch, before = _Watch(), _superseded("no_room")
    newest = Newest(watch, MOST)
    for number in range(KEPT_MOST + 10):
        newest.put(("room", str(number)), b"x")
        newest.put(("room", "0"), b"y")
    assert (newest.size, newest.frames()[-1:]) == (KEPT_MOST, b"y")
    assert _superseded("no_room") == before + 10
    newest.put(("room", "0"), b"z" * (MOST - 5))
    assert newest.frames() == b"xxxxx" + b"z" * (MOST - 5)
    newest.put(("room", "1"), b"z" * (MOST + 1))
    assert (newest.size, newest.frames(), watch.total) == (0, b"", 0)


def test_what_is_kept_of_a_room_goes_with_it() -> None:
    """And nothing else does."""
    watch = _Watch()
    newest = Newest(watch, MOST)
    for room, name in (("a", "x"), ("b", "x"), ("a", "y")):
        newest.put((room, name), room.encode())
    newest.discard("a")
    assert (newest.frames(), watch.total) == (b"b", 1)


# --- the fan-out ----------------------------------------------------------------------------------------------------


def _shown(room: Room, name: str, user: str, number: int) -> EventShown:
    return EventShown(room.name, name, Raw(str(number).encode()), user)


def _said(room: Room, number: int) -> StoredMessage:
    author = Author(id="u", display_name="U")
    return StoredMessage(room=room.name, seq=number, prev=0, id="m", author=author, body="x", ts=1)


def _received(wire: Wire) -> list[tuple[str, dict[str, Any]]]:
    events = [json.loads(str(packet)[2:]) for packet in wire.packets]
    return [(name, payload) for name, payload in events]


class _Members(RuleBasedStateMachine):
    """Anything that can happen to members who fall behind and catch up, beside what they ought to get."""

    @initialize()
    def begin(self) -> None:
        """Three members, and two rooms."""
        self.clockwork = Clockwork()
        self.patches = [mock.patch.object(fanout, each, self.clockwork) for each in ("asyncio", "time")]
        for each in self.patches:
            each.start()
        self.fan_out = FanOut(0.002)
        self.watch = _Watch()
        self.numbers = itertools.count(1)
        self.rooms = [Room("a"), Room("b")]
        self.members = [connection() for _ in range(3)]
        self.messages: dict[Connection, list[int]] = {member: [] for member, _ in self.members}
        self.newest: dict[Connection, dict[tuple[str, str, str], int]] = {member: {} for member, _ in self.members}
        self.events: dict[Connection, set[int]] = {member: set() for member, _ in self.members}
        """All that they may get."""
        self.never_behind = {member for member, _ in self.members}

    def teardown(self) -> None:
        """Everybody catches up: messages are complete and in order, and of events they have at least the newest."""
        if not hasattr(self, "fan_out"):
            return
        self.clockwork.pass_time(1)
        for member, wire in self.members:
            member.session.catch_up()
            received = _received(wire)
            for room in self.rooms:
                seqs = [shown["seq"] for name, shown in received if name == "message" and shown["room"] == room.name]
                assert seqs == [seq for seq in self.messages[member] if seq % 2 == (room.name == "b")]
            events = [shown for name, shown in received if name == "event"]
            last: dict[tuple[str, str, str], int] = {}
            for shown in events:
                key = (shown["room"], shown["name"], shown["user"])
                assert last.get(key, 0) < shown["data"], "an older one came after a newer one"
                last[key] = shown["data"]
            assert self.newest[member].items() <= last.items()
            got = {shown["data"] for shown in events}
            assert got <= self.events[member]
            assert member not in self.never_behind or got == self.events[member]
        assert not self.fan_out._aside
        for each in self.patches:
            each.stop()

    @rule(room=st.integers(0, 1), name=st.sampled_from("xy"), who=st.integers(0, 2))
    def happen(self, room: int, name: str, who: int) -> None:
        """One of the members does something, which the others see."""
        where, number, user = self.rooms[room], next(self.numbers), self.members[who][0]
        self.fan_out.deliver(where, _shown(where, name, user.id, number), skip=user.id)
        for member in where.members:
            if member is not user:
                self.events[member].add(number)
                self.newest[member][where.name, name, user.id] = number

    @rule(room=st.integers(0, 1))
    def say(self, room: int) -> None:
        """A message; those of the second room have odd numbers."""
        seq = next(self.numbers) * 2 + room
        self.fan_out.deliver(self.rooms[room], _said(self.rooms[room], seq))
        for member in self.rooms[room].members:
            self.messages[member].append(seq)

    @rule(room=st.integers(0, 1), who=st.integers(0, 2))
    def enter(self, room: int, who: int) -> None:
        """As `Joining` does."""
        where, member = self.rooms[room], self.members[who][0]
        if member not in where.members:
            self.fan_out.entering(where, member)
            where.members[member] = member.session
            member.rooms.add(where.name)

    @rule(room=st.integers(0, 1), who=st.integers(0, 2))
    def leave(self, room: int, who: int) -> None:
        """As `Rooms` does: what is kept of the room is not for it any more."""
        where, member = self.rooms[room], self.members[who][0]
        self.fan_out.settle(member)
        if member.session.newest is not None:
            member.session.newest.discard(where.name)
        where.members.pop(member, None)
        member.rooms.discard(where.name)
        for key in [key for key in self.newest[member] if key[0] == where.name]:
            del self.newest[member][key]

    @rule(who=st.integers(0, 2))
    def fall_behind(self, who: int) -> None:
        """The kernel takes no more."""
        member = self.members[who][0]
        member.session.fall_behind(self.watch)
        self.never_behind.discard(member)

    @rule(who=st.integers(0, 2))
    def catch_up(self, who: int) -> None:
        """It takes more again."""
        self.members[who][0].session.catch_up()

    @rule(share=st.sampled_from([0.0, 0.5, 1.0]))
    def pass_time(self, share: float) -> None:
        """The turn of the loop ends, and some of a window passes."""
        self.clockwork.pass_time(share * 0.002)


_Members.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestMembers = _Members.TestCase


def test_those_who_keep_up_get_all_of_it_in_one_write_and_those_behind_share_what_is_kept() -> None:
    """Nobody waits for whoever is behind, and a frame is there once, however many keep it."""
    clockwork, room = Clockwork(), Room("r")
    members = [connection() for _ in range(5)]
    for member, _ in members:
        room.members[member] = member.session
        member.rooms.add(room.name)
    behind = [member.session for member, _ in members[3:]]
    with mock.patch.object(fanout, "asyncio", clockwork), mock.patch.object(fanout, "time", clockwork):
        fan_out = FanOut(0.002)
        for session in behind:
            session.fall_behind(_Watch())
        for number in range(3):
            fan_out.deliver(room, _shown(room, "cursor", "u", number))
        fan_out.deliver(room, _said(room, 7))
        clockwork.turn()
    writes = [wire.writes for _, wire in members]
    assert [len(each) for each in writes] == [1] * 5
    assert writes[0][0] is writes[1][0] is writes[2][0]
    assert [name for name, _ in _received(members[0][1])] == ["event"] * 3 + ["message"]
    assert [name for name, _ in _received(members[4][1])] == ["message"]
    kept = [list(session.newest._frames.values()) for session in behind if session.newest is not None]
    assert len(kept[0]) == 1
    assert kept[0][0] is kept[1][0]


# --- the transports -------------------------------------------------------------------------------------------------


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """The loop of the backlog."""
    clock = Clockwork()
    with mock.patch.object(backlog, "asyncio", clock):
        yield clock


class _Stream:
    """The event loop's transport: sends all while it `is_open`, and tells its protocol as asyncio does."""

    def __init__(self) -> None:
        self.sent = b""
        self.waits = b""
        self.is_open = True
        self.aborted = False
        self.protocol: WebSocket | None = None

    def set_write_buffer_limits(self, *, high: int) -> None:
        """See asyncio."""
        assert high == 0

    def write(self, data: bytes) -> None:
        """See asyncio."""
        if self.is_open:
            self.sent += data
            return
        is_first = not self.waits
        self.waits += data
        if is_first and self.protocol is not None:
            self.protocol.pause_writing()

    def read_all(self) -> None:
        """The client reads all there is."""
        self.sent, self.waits = self.sent + self.waits, b""
        assert self.protocol is not None
        self.protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        """See asyncio."""
        return len(self.waits)

    def abort(self) -> None:
        """See asyncio."""
        self.aborted, self.waits = True, b""


def _websocket(limits: Limits, watch: Backlog) -> tuple[WebSocket, Session, _Stream]:
    stream = _Stream()
    websocket = stream.protocol = WebSocket(Shared(limits, watch), stream)  # type: ignore[arg-type]
    session = Session(Ears(), "s", websocket)
    websocket.carry(session)
    return websocket, session, stream


async def test_a_websocket_is_behind_while_the_kernel_takes_no_more(clockwork: Clockwork) -> None:
    """What is kept is written when all is read; if the kernel does not take that, it is behind again."""
    limits = Limits()
    watch = Backlog(limits)
    _, session, stream = _websocket(limits, watch)
    assert session.newest is None
    stream.is_open = False
    session.write(b"1")
    for number in range(1000):
        assert session.newest is not None
        session.newest.put(("r", str(number % 2)), b"%03d" % number)
    assert (stream.waits, session.kept_bytes) == (b"1", 6)
    clockwork.pass_time(1)
    assert metrics.unsent_bytes._value.get() == 7, "what is kept waits, too"
    stream.read_all()
    assert (stream.sent, stream.waits, session.kept_bytes) == (b"1", b"998999", 0)
    assert session.newest is not None
    stream.is_open = True
    stream.read_all()
    assert (stream.sent, session.newest) == (b"1998999", None)
    clockwork.pass_time(1)
    assert metrics.unsent_bytes._value.get() == metrics.slow_readers._value.get() == 0


async def test_a_reader_that_never_catches_up_is_not_closed_for_events_and_is_for_reading_nothing(
    clockwork: Clockwork,
) -> None:
    """However many come, what is kept is bounded, beside the bound of what is written; events are no progress."""
    limits = Limits(unsent_most=4000)
    watch = Backlog(limits)
    _, session, stream = _websocket(limits, watch)
    session.owner.limits = limits
    stream.is_open = False
    session.write(b"x" * 3500)
    for number in range(5000):
        assert session.newest is not None
        session.newest.put(("r", str(number)), b"y" * (number % 100))
        if number % 1000 == 0:
            clockwork.pass_time(0.9)
    assert session.kept_bytes <= limits.unsent_most // 4
    assert not session.closed
    clockwork.pass_time(2)
    assert stream.aborted
    assert (session.closed, session.newest) == (True, None)


async def test_what_is_kept_for_all_is_bounded_with_what_waits(clockwork: Clockwork) -> None:
    """Those furthest behind go, by both together."""
    del clockwork
    limits = Limits(unsent_most=4000, unsent_total_most=2500)
    watch = Backlog(limits)
    readers = [_websocket(limits, watch) for _ in range(4)]
    for _, session, stream in readers:
        session.owner.limits = limits
        stream.is_open = False
        session.write(b"x" * 10)
    for number, (_, session, _) in enumerate(readers):
        assert session.newest is not None
        session.newest.put(("r", "n"), b"y" * (700 + number))
    assert [stream.aborted for _, _, stream in readers] == [False, False, False, True]


async def test_what_is_kept_goes_with_the_session(clockwork: Clockwork) -> None:
    """However it ends: also at once after what was written."""
    del clockwork
    limits = Limits()
    for end in (Session.send_away, lambda session: session.abort(Reason.SERVER)):
        _, session, stream = _websocket(limits, Backlog(limits))
        stream.is_open = False
        stream.resume_reading = lambda: None  # type: ignore[attr-defined]
        session.write(b"1")
        assert session.newest is not None
        session.newest.put(("r", "n"), b"2")
        end(session)
        assert session.kept_bytes == 0
        session.catch_up()
        session.fall_behind(Backlog(limits))
        assert session.newest is None


def _polling(watch: Backlog) -> tuple[Polling, Session]:
    transport = Polling(watch)
    session = transport.session = Session(Ears(), "s", transport)
    return transport, session


async def test_a_polling_client_is_behind_when_more_waits_than_a_poll_takes(clockwork: Clockwork) -> None:
    """Until a poll has taken the last of it; the next one brings what was kept, and what came behind it."""
    del clockwork
    transport, session = _polling(Backlog(Limits()))
    for number in range(PACKETS_A_POLL):
        session.write(frames.message(b"%d" % number))
        assert session.newest is None
    session.write(frames.message(b"last"))
    assert session.newest is not None
    for number in range(50):
        session.newest.put(("r", "n"), frames.message(b"new%d" % number))
    assert len((await transport.poll()).split("\x1e")) == PACKETS_A_POLL
    assert await transport.poll() == "4last"
    assert session.newest is None
    session.write(frames.message(b"behind"))
    assert await transport.poll() == "4new49\x1e4behind"


@pytest.mark.parametrize("is_open", [True, False])
async def test_what_is_kept_outlives_an_upgrade_and_comes_after_what_was_queued(
    clockwork: Clockwork,
    is_open: bool,  # noqa: FBT001 - pytest passes names
) -> None:
    """An older event must not come after a newer one."""
    del clockwork
    limits = Limits()
    watch = Backlog(limits)
    transport, session = _polling(watch)
    stream = _Stream()
    websocket = stream.protocol = WebSocket(Shared(limits, watch), stream)  # type: ignore[arg-type]
    websocket.upgrade = Upgrade(session, transport, websocket)
    for number in range(PACKETS_A_POLL + 1):
        session.write(frames.message(b"%d" % number))
    assert session.newest is not None
    session.newest.put(("r", "n"), frames.message(b"new"))
    websocket.message("2probe")
    stream.is_open = is_open
    websocket.message("5")
    assert (session.newest is None) == is_open
    if not is_open:
        stream.is_open = True
        stream.read_all()
    packets = list(frames.packets(stream.sent))
    assert packets == ["3probe", *(f"4{number}" for number in range(PACKETS_A_POLL + 1)), "4new"]
