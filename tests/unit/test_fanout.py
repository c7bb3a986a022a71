"""The fan-out: everybody gets what is due to them, in order, in few writes, and soon."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import Raw

from services.gateway import fanout
from services.gateway.connection import Connection
from services.gateway.edge.session import Reason
from services.gateway.fanout import FanOut
from services.gateway.pushes import EventShown
from services.gateway.recovery.kept_session import Kept
from services.gateway.replay import Packet, Replay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.rooms import Room
from tests.support.edge import Clockwork, Wire, connection
from wire.messages import Author, StoredMessage

WINDOW: Final = 0.002
CONNECTIONS: Final = 4
ROOMS: Final = 3

_OWN: Final = "own"
"""Stands for a room in what a connection is sent alone."""

Due = tuple[str, int]
"""A room, or `_OWN`, and a number that is used once."""


@contextmanager
def _on(clockwork: Clockwork) -> Iterator[None]:
    with mock.patch.object(fanout, "asyncio", clockwork), mock.patch.object(fanout, "time", clockwork):
        yield


def _fan_out(window: float = WINDOW) -> tuple[FanOut, Clockwork]:
    clockwork = Clockwork()
    with _on(clockwork):
        return FanOut(window), clockwork


def _shown(room: Room, number: int) -> EventShown:
    return EventShown(room.name, "n", Raw(str(number).encode()), "u")


def _said(room: Room, number: int) -> StoredMessage:
    author, data = Author(id="u", display_name="U"), Raw(str(number).encode())
    return StoredMessage(room=room.name, seq=number, prev=0, id="m", author=author, body="x", ts=1, data=data)


def _enter(room: Room, member: Connection) -> None:
    room.members[member] = member.session
    member.rooms.add(room.name)
    if member.kept is not None:
        room.keeping.add(member)
        member.kept.enter(room.name, room.last_seq)


def _leave(room: Room, member: Connection) -> None:
    room.members.pop(member, None)
    member.rooms.discard(room.name)
    room.keeping.discard(member)


def _keep(room: Room) -> None:
    room.replay = room.replay or Replay(ReplayMemory(), 0)


def _kept_behind(room: Room, seq: int) -> list[Packet]:
    assert room.replay is not None
    return [each for stretch in room.replay.stretches for each in stretch.behind(seq)]


def _received(wire: Wire) -> list[Due]:
    return [_read(packet) for packet in wire.packets]


def _read(packet: str | bytes) -> Due:
    assert isinstance(packet, str)
    if packet.startswith("43"):
        return _OWN, int(packet[2:])
    room = packet.split('"room":"')[1].split('"')[0]
    return room, int(packet.split('"data":')[1].split(",")[0].rstrip("}]"))


class _Interleavings(RuleBasedStateMachine):
    """Anything that can happen to a fan-out, in any order, beside what everybody ought to get."""

    @initialize(window=st.sampled_from([0.0, WINDOW]))
    def begin(self, window: float) -> None:
        """Four connections, of which two can get their session back, three rooms, and nobody in them."""
        self.clockwork = Clockwork()
        self.on_it = _on(self.clockwork)
        self.on_it.__enter__()
        self.fan_out = FanOut(window)
        self.window = window
        self.rooms = [Room(f"r{number}") for number in range(ROOMS)]
        self.connections = [connection() for _ in range(CONNECTIONS)]
        for member, _ in self.connections[::2]:
            member.kept = Kept(member.id, member.id)
        self.due: dict[Connection, list[Due]] = {member: [] for member, _ in self.connections}
        self.numbers = itertools.count(1)
        self.reading: dict[tuple[Room, Connection], int] = {}
        """Who is being told what they missed of a room: since which number."""

    def teardown(self) -> None:
        """Let all of it go out: then nothing may be missing."""
        if hasattr(self, "fan_out"):
            self.clockwork.pass_time(2 * WINDOW)
            self.in_order()
            for member, wire in self.connections:
                if member.is_open:
                    assert sorted(_received(wire)) == sorted(self.due[member])
            assert not self.fan_out._aside
            assert not any(room.waiting for room in self.rooms)
            self.on_it.__exit__(None, None, None)

    @rule(room=st.integers(0, ROOMS - 1), skip=st.none() | st.integers(0, CONNECTIONS - 1))
    def deliver(self, room: int, skip: int | None) -> None:
        """Something happens in a room; `skip` need not be in it."""
        where, number = self.rooms[room], next(self.numbers)
        skipped = None if skip is None else self.connections[skip][0]
        self.fan_out.deliver(where, _shown(where, number), skip=None if skipped is None else skipped.id)
        for member in where.members:
            if member is not skipped:
                self.due[member].append((where.name, number))

    @rule(room=st.integers(0, ROOMS - 1))
    def say(self, room: int) -> None:
        """A message, which nobody skips."""
        where, number = self.rooms[room], next(self.numbers)
        self.fan_out.deliver(where, _said(where, number))
        for member in where.members:
            self.due[member].append((where.name, number))

    @rule(room=st.integers(0, ROOMS - 1), who=st.integers(0, CONNECTIONS - 1))
    def begin_to_resume(self, room: int, who: int) -> None:
        """One is about to be told what it missed."""
        where, member = self.rooms[room], self.connections[who][0]
        if member not in where.members and (where, member) not in self.reading:
            _keep(where)
            self.reading[where, member] = next(self.numbers)

    @rule()
    def resume(self) -> None:
        """It gets the messages that came meanwhile, and is in; as `Resuming` and `Joining` do."""
        if self.reading:
            (where, member), since = self.reading.popitem()
            for number, packet in _kept_behind(where, since):
                self.fan_out.tell(member, where, number, packet)
                self.due[member].append((where.name, number))
            if member.is_open:
                self.fan_out.entering(where, member)
                _enter(where, member)

    @rule(who=st.integers(0, CONNECTIONS - 1))
    def send(self, who: int) -> None:
        """Something that one is sent alone."""
        member, number = self.connections[who][0], next(self.numbers)
        self.fan_out.send(member, f"3{number}".encode())
        self.due[member].append((_OWN, number))

    @rule(room=st.integers(0, ROOMS - 1), who=st.integers(0, CONNECTIONS - 1))
    def enter(self, room: int, who: int) -> None:
        """As `Joining` does."""
        member = self.connections[who][0]
        where = self.rooms[room]
        if member.is_open and member not in where.members and (where, member) not in self.reading:
            self.fan_out.entering(self.rooms[room], member)
            _enter(self.rooms[room], member)

    @rule(room=st.integers(0, ROOMS - 1), who=st.integers(0, CONNECTIONS - 1))
    def leave(self, room: int, who: int) -> None:
        """As `Events` does."""
        self.fan_out.settle(self.connections[who][0])
        _leave(self.rooms[room], self.connections[who][0])

    @rule(who=st.integers(0, CONNECTIONS - 1), is_noticed=st.booleans())
    def disconnect(self, who: int, is_noticed: bool) -> None:  # noqa: FBT001 - hypothesis passes names
        """The session ends; the rooms are told some time afterwards, or not yet."""
        member = self.connections[who][0]
        member.session.abort(Reason.TRANSPORT_ERROR)
        if is_noticed:
            self.fan_out.forget(member)
            for room in self.rooms:
                _leave(room, member)

    @rule(room=st.integers(0, ROOMS - 1))
    def reopen(self, room: int) -> None:
        """A room that nobody is in closes, and another of its name opens."""
        if not self.rooms[room].members and self.rooms[room] not in [where for where, _ in self.reading]:
            self.rooms[room] = Room(self.rooms[room].name)

    @rule()
    def turn(self) -> None:
        """The turn of the loop ends."""
        self.clockwork.turn()

    @rule(share=st.sampled_from([0.3, 1.0, 2.0]))
    def pass_time(self, share: float) -> None:
        """Some of a window passes; after all of it everything is out."""
        self.clockwork.pass_time(share * WINDOW)
        if share >= 1:
            assert not any(room.waiting for room in self.rooms)

    @invariant()
    def in_order(self) -> None:
        """Of each room and of what is sent to it alone, each gets a beginning of what is due, in order.

        Those that can get their session back, of all rooms together.
        """
        if not hasattr(self, "fan_out"):
            return
        for member, wire in self.connections:
            received = _received(wire)
            if member.kept is not None:
                assert received == self.due[member][: len(received)]
            for room in self.rooms:
                ours = {room.name, _OWN}
                got = [each for each in received if each[0] in ours]
                assert got == [each for each in self.due[member] if each[0] in ours][: len(got)]


_Interleavings.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestInterleavings = _Interleavings.TestCase


def test_the_first_of_a_quiet_room_leaves_at_the_end_of_the_turn() -> None:
    """With everything else that came in the same turn, in one write; the next ones within the window, in one."""
    fan_out, clockwork = _fan_out()
    room, (member, wire) = Room("r"), connection()
    _enter(room, member)
    with _on(clockwork):
        fan_out.deliver(room, _shown(room, 1))
        fan_out.deliver(room, _shown(room, 2))
        assert wire.writes == []
        clockwork.turn()
        assert (len(wire.writes), _received(wire)) == (1, [("r", 1), ("r", 2)])

        fan_out.deliver(room, _shown(room, 3))
        clockwork.pass_time(WINDOW / 2)
        fan_out.deliver(room, _shown(room, 4))
        clockwork.turn()
        assert len(wire.writes) == 1
        clockwork.pass_time(WINDOW / 2)
        assert (len(wire.writes), _received(wire)[2:]) == (2, [("r", 3), ("r", 4)])

        clockwork.pass_time(2 * WINDOW)
        fan_out.deliver(room, _shown(room, 5))
        clockwork.turn()
        assert len(wire.writes) == 3, "it is quiet again"


def test_without_a_window_nothing_waits_longer_than_the_turn() -> None:
    """However busy the room is."""
    fan_out, clockwork = _fan_out(0)
    room, (member, wire) = Room("r"), connection()
    _enter(room, member)
    with _on(clockwork):
        for number in range(10):
            fan_out.deliver(room, _shown(room, number))
            clockwork.turn()
            assert len(wire.writes) == number + 1


def test_a_room_that_is_busy_does_not_delay_a_quiet_one() -> None:
    """Of those who are in both, too."""
    fan_out, clockwork = _fan_out()
    busy, quiet, (member, wire) = Room("busy"), Room("quiet"), connection()
    _enter(busy, member)
    _enter(quiet, member)
    with _on(clockwork):
        fan_out.deliver(busy, _shown(busy, 1))
        clockwork.turn()
        fan_out.deliver(busy, _shown(busy, 2))
        fan_out.deliver(quiet, _shown(quiet, 3))
        clockwork.turn()
        assert _received(wire) == [("busy", 1), ("quiet", 3)]
        clockwork.pass_time(WINDOW)
        assert _received(wire)[2:] == [("busy", 2)]


def test_an_answer_comes_after_what_was_delivered_before_it_and_at_once_otherwise() -> None:
    """It waits only where something waits for its connection, and then leaves in the same write."""
    fan_out, clockwork = _fan_out()
    room, (member, wire), (stranger, strangers) = Room("r"), connection(), connection()
    _enter(room, member)
    with _on(clockwork):
        fan_out.send(member, b"31")
        assert _received(wire) == [(_OWN, 1)]
        fan_out.deliver(room, _shown(room, 2))
        fan_out.send(member, b"33")
        fan_out.send(stranger, b"34")
        assert _received(strangers) == [(_OWN, 4)]
        assert len(wire.writes) == 1
        fan_out.deliver(room, _shown(room, 5))
        clockwork.turn()
        assert (len(wire.writes), _received(wire)[1:]) == (2, [("r", 2), (_OWN, 3), ("r", 5)])


def test_whoever_is_told_what_they_missed_gets_messages_and_nothing_else_for_later() -> None:
    """Typing and events of that time are not for them."""
    fan_out, clockwork = _fan_out()
    room, (member, wire) = Room("r"), connection()
    room.resuming.add(member)
    _keep(room)
    with _on(clockwork):
        fan_out.deliver(room, _shown(room, 1))
        fan_out.deliver(room, _said(room, 2))
        clockwork.pass_time(WINDOW)
        assert wire.writes == []
    kept = _kept_behind(room, 0)
    assert [(seq, packet.startswith(b'2["message",{')) for seq, packet in kept] == [(2, True)]


def test_all_members_are_written_the_same_bytes() -> None:
    """One frame, however many they are; but for those who are skipped, or sent something else in between."""
    fan_out, clockwork = _fan_out()
    room, members = Room("r"), [connection() for _ in range(5)]
    for member, _ in members:
        _enter(room, member)
    with _on(clockwork):
        fan_out.deliver(room, _shown(room, 1))
        fan_out.deliver(room, _shown(room, 2), skip=members[0][0].id)
        fan_out.send(members[1][0], b"33")
        clockwork.turn()
    assert _received(members[0][1]) == [("r", 1)]
    assert _received(members[1][1]) == [("r", 1), ("r", 2), (_OWN, 3)]
    others = [wire.writes for _, wire in members[2:]]
    assert all(len(writes) == 1 and writes[0] is others[0][0] for writes in others)


def test_who_can_get_their_session_back_have_messages_as_frames_of_their_own() -> None:
    """With an offset behind the message; all else, and the others' frames, are as they are without them."""
    fan_out, clockwork = _fan_out()
    room, members = Room("r"), [connection() for _ in range(4)]
    for member, _ in members[:2]:
        member.kept = Kept(member.id, member.id)
    for member, _ in members:
        _enter(room, member)
    with _on(clockwork):
        fan_out.deliver(room, _said(room, 1))
        fan_out.deliver(room, _shown(room, 2))
        fan_out.deliver(room, _said(room, 0x1F))
        clockwork.turn()
    plain = members[3][1].packets
    assert members[2][1].packets == plain
    for member, wire in members[:2]:
        assert member.kept is not None
        key = member.kept.places.rooms["r"].key
        assert wire.packets == [f'{str(plain[0])[:-1]},"{key}1"]', plain[1], f'{str(plain[2])[:-1]},"{key}1f"]']
        assert len(wire.writes) == 1


def test_what_waits_for_those_who_can_get_their_session_back_is_there_once() -> None:
    """However many they are: their offsets differ, and the message itself is not copied before it is written."""
    fan_out, clockwork = _fan_out()
    room, members = Room("r"), [connection() for _ in range(10)]
    for member, _ in members:
        member.kept = Kept(member.id, member.id)
        _enter(room, member)
    with _on(clockwork):
        for number in range(1, 6):
            fan_out.deliver(room, _said(room, number))
        waiting = [each for aside in fan_out._aside.values() for each in aside.own]
        assert len(waiting) == 50
        assert {id(each.packet) for each in waiting} == {id(each.packet) for each in room.waiting}
        clockwork.turn()
    assert [len(wire.packets) for _, wire in members] == [5] * 10


def test_between_large_rooms_the_loop_turns() -> None:
    """What comes meanwhile for the room that is still to be written to leaves in the same write."""
    fan_out, clockwork = _fan_out()
    rooms = [Room("first"), Room("second")]
    wires = []
    for room in rooms:
        members = [connection() for _ in range(fanout._WRITES_A_TURN)]
        for member, _ in members:
            _enter(room, member)
        wires.append(members[-1][1])
    with _on(clockwork):
        for room in rooms:
            fan_out.deliver(room, _shown(room, 1))
        clockwork.turn()
        assert [len(wire.writes) for wire in wires] == [1, 0]
        fan_out.deliver(rooms[1], _shown(rooms[1], 2))
        clockwork.turn()
    assert (len(wires[1].writes), _received(wires[1])) == (1, [("second", 1), ("second", 2)])


def test_a_write_that_fails_does_not_stop_the_others() -> None:
    """It should not happen. If it does, that session ends, and the others get all of it, now and later."""
    fan_out, clockwork = _fan_out()
    room, members = Room("r"), [connection() for _ in range(3)]
    for member, _ in members:
        _enter(room, member)

    def fail(_frames: bytes, /) -> None:
        raise RuntimeError("closed")

    members[1][0].session.write = fail
    with _on(clockwork):
        fan_out.deliver(room, _shown(room, 1))
        clockwork.turn()
        clockwork.pass_time(2 * WINDOW)
        fan_out.deliver(room, _shown(room, 2))
        clockwork.turn()
    assert not members[1][0].is_open
    for member, wire in (members[0], members[2]):
        assert member.is_open
        assert _received(wire) == [("r", 1), ("r", 2)]
