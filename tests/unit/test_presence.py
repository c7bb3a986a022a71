"""Presence: what is told, to whom, how often, and what it costs. See also `test_presence_model.py`."""

import re
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import structlog
from msgspec import convert

from runtime.listening import Delivery
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.presence.peers import Peers
from services.gateway.presence.round import Round
from services.gateway.presence.voice import Voice
from services.gateway.pushes import PresenceChange, PresenceShown, RoomPresence
from tests.support.presence_world import LEASE, NOTICED, Bus, Gateway, Net, World
from wire import subjects
from wire.ids import Id
from wire.presence import Heartbeat

ROOM: Final = "r"
MASS: Final = 8000
ALSO: Final = 0.3
"""Seconds within which a gateway knows a room that it has begun to listen to."""


def _world(gateways: int, **more: int) -> World:
    world = World()
    for _ in range(gateways):
        world.start(**more)
    return world


def _told(gateway: Gateway) -> list[tuple[str, str]]:
    """What single events have told, and no others."""
    events = [shown for _, shown, _ in gateway.delivered]
    assert all(isinstance(each, PresenceShown) for each in events)
    gateway.delivered.clear()
    return [(each.user, each.state) for each in events if isinstance(each, PresenceShown)]


def _batches(gateway: Gateway) -> list[RoomPresence]:
    events = [shown for _, shown, _ in gateway.delivered]
    gateway.delivered.clear()
    return [each for each in events if isinstance(each, RoomPresence)]


def test_whoever_comes_is_told_to_all_but_the_socket_that_comes() -> None:
    """With their name; and going is told to all who are left."""
    world = _world(2)
    one, two = world.gateways
    one.join(ROOM, "ann")
    world.pass_time(ALSO)
    bob = two.join(ROOM, "bob")
    world.pass_time(ALSO)
    online = PresenceShown(ROOM, "bob", "BOB", "online")
    assert [each[1:] for each in one.delivered][-1] == (online, None)
    assert (online, bob.id) in [each[1:] for each in two.delivered]
    two.leave(ROOM, bob)
    world.pass_time(ALSO)
    assert one.delivered[-1][1:] == (PresenceShown(ROOM, "bob", "BOB", "offline"), None)


def test_whoever_comes_and_goes_in_a_moment_was_not_there() -> None:
    """Nobody is told, and NATS neither; nor of one who goes and is back at once."""
    world = _world(2)
    one, two = world.gateways
    ann = one.join(ROOM, "ann")
    two.join(ROOM, "bob")
    world.pass_time(ALSO)
    for each in world.gateways:
        each.delivered.clear()
    before = metrics.presence_said["changed",]
    one.leave(ROOM, one.join(ROOM, "cam"))
    one.leave(ROOM, ann)
    one.join(ROOM, "ann")
    world.pass_time(ALSO)
    assert _told(one) == _told(two) == []
    assert metrics.presence_said["changed",] == before


def test_whoever_was_there_before_is_listed_and_does_not_come() -> None:
    """Also in a snapshot of several messages."""
    world = _world(2, batch_above=10_000)
    one, two = world.gateways
    for number in range(2_500):
        one.join(ROOM, f"u{number}")
    world.pass_time(1)
    two.join(ROOM, "ann")
    assert not two.presence.is_known(ROOM)
    world.pass_time(ALSO)
    assert two.presence.is_known(ROOM)
    (connection,) = two.rooms[ROOM].members
    present = two.presence.members(ROOM, connection)
    assert (len(present.members), present.count) == (1000, 2_501)
    assert _told(two) == [("ann", "online")]


def test_telling_of_a_mass_that_comes_costs_a_message_a_second_to_each() -> None:
    """Eight thousand at once, of which half is on another gateway, and then all of them go but one."""
    world = _world(2)
    one, two = world.gateways
    ann = one.join(ROOM, "ann")
    world.pass_time(2)
    one.delivered.clear()
    joined = [each.join(ROOM, f"u{number}") for number in range(MASS // 2) for each in world.gateways]
    assert len(joined) == MASS
    world.pass_time(3)
    came = _batches(one)
    assert 1 <= len(came) <= 4
    assert came[-1].count == len(one.presence._views[ROOM].people) == MASS // 2 + 1
    assert all(each.truncated and not each.changes for each in came)
    assert one.deliveries <= 5 * len(one.rooms[ROOM].members)
    one.deliveries = 0
    for each in joined:
        gateway = one if each in one.rooms[ROOM].members else two
        gateway.leave(ROOM, each)
    world.pass_time(3)
    assert _batches(one)[-1].count == 1
    assert one.deliveries <= 4
    assert one.presence.members(ROOM, ann).count == 1


def test_in_a_large_room_a_second_is_told_as_one() -> None:
    """The net changes, with names; whoever asks meanwhile is told what members were, and that they are there."""
    world = _world(1, batch_above=3)
    (one,) = world.gateways
    for name in ("ann", "bob", "cam", "dee"):
        one.join(ROOM, name)
    world.pass_time(2)
    one.delivered.clear()
    one.join(ROOM, "eve")
    world.pass_time(0.1)
    assert _batches(one) == [RoomPresence(ROOM, 5, [PresenceChange("eve", "EVE", "online")], False)]
    fay, gus = one.join(ROOM, "fay"), one.join(ROOM, "gus")
    world.pass_time(0.1)
    one.leave(ROOM, gus)
    world.pass_time(0.1)
    assert _batches(one) == []
    present = one.presence.members(ROOM, fay)
    assert present.count == 6
    assert {each.id for each in present.members} == {"ann", "bob", "cam", "dee", "eve", "fay"}
    world.pass_time(1)
    assert _batches(one) == [RoomPresence(ROOM, 6, [PresenceChange("fay", "FAY", "online")], False)]


def test_many_at_once_in_a_smaller_room_are_told_as_one_too() -> None:
    """A hundred who come into a room of a hundred would be ten thousand deliveries."""
    world = _world(1)
    (one,) = world.gateways
    for number in range(100):
        one.join(ROOM, f"u{number}")
    world.pass_time(2)
    (batch,) = _batches(one)
    assert (batch.count, len(batch.changes), batch.truncated) == (100, 100, False)
    assert one.deliveries == 100


def test_nothing_is_told_while_it_is_not_known_who_may_be_here() -> None:
    """A member who was removed would hear it; what has changed by the end is told then, and once."""
    world = _world(2)
    one, two = world.gateways
    one.join(ROOM, "ann")
    two.join(ROOM, "bob")
    world.pass_time(ALSO)
    one.delivered.clear()
    one.control.is_current = False
    two.leave(ROOM, two.join(ROOM, "cam"))
    two.join(ROOM, "dee")
    world.pass_time(3)
    assert _told(one) == []
    one.control.is_current = True
    one.presence.on_current()
    assert _told(one) == [("dee", "online")]


def _two_who_know(world: World) -> tuple[Gateway, Gateway, Connection]:
    one, two = world.gateways[:2]
    ann = one.join(ROOM, "ann")
    two.join(ROOM, "bob")
    world.pass_time(3)
    for each in world.gateways:
        each.delivered.clear()
    return one, two, ann


def test_a_pause_shorter_than_the_lease_is_not_noticed() -> None:
    """Neither by those who go on, nor by the one who was paused."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    two.is_paused = True
    world.pass_time(LEASE - 2.5)
    two.is_paused = False
    world.pass_time(NOTICED)
    assert _told(one) == _told(two) == []


def test_a_gateway_that_hears_nothing_takes_nobody_for_dead() -> None:
    """It was paused, or without NATS, or NATS carries nothing: all others are where they were."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    two.is_paused = True
    world.pass_time(60)
    assert _told(one) == [("bob", "offline")]
    two.is_paused = False
    world.pass_time(NOTICED)
    two.bus.cut()
    world.pass_time(60)
    two.bus.reconnect()
    world.pass_time(NOTICED)
    two.bus.carries = False
    world.pass_time(60)
    two.bus.carries = True
    world.pass_time(NOTICED)
    assert _told(two) == []
    assert _told(one) == [("bob", "online"), *[("bob", "offline"), ("bob", "online")] * 2]


def test_a_room_that_was_closed_leaves_no_ghost() -> None:
    """Although what its gateway said last was lost, and it lives on and does not listen to that room any more."""
    world = _world(2)
    one, two, ann = _two_who_know(world)
    one.join("other", "ann")
    world.net.apart.add((one.bus, two.bus))
    one.leave(ROOM, ann)
    world.pass_time(0.1)
    one.close(ROOM)
    world.pass_time(0.1)
    assert two.online(ROOM) == {"ann", "bob"}
    world.net.apart.clear()
    world.pass_time(NOTICED)
    assert two.online(ROOM) == {"bob"}
    assert _told(two) == [("ann", "offline")]


def test_a_room_that_was_closed_without_nats_leaves_no_ghost() -> None:
    """It is said once NATS is there again."""
    world = _world(2)
    one, two, ann = _two_who_know(world)
    one.join("other", "ann")
    one.bus.cut()
    one.leave(ROOM, ann)
    one.close(ROOM)
    world.pass_time(1)
    assert two.online(ROOM) == {"ann", "bob"}
    one.bus.reconnect()
    world.pass_time(0.2)
    assert two.online(ROOM) == {"bob"}


def test_the_last_room_that_was_closed_without_nats_leaves_no_ghost() -> None:
    """The gateway says it, and then that it has ended; and it says nothing more."""
    world = _world(2)
    one, two, ann = _two_who_know(world)
    one.bus.cut()
    one.leave(ROOM, ann)
    one.close(ROOM)
    world.pass_time(1)
    one.bus.reconnect()
    world.pass_time(0.2)
    assert two.online(ROOM) == {"bob"}
    assert len(two.presence._keeper.peers) == 0


def test_whoever_is_paused_at_any_moment_takes_nobody_for_dead() -> None:
    """Also between its heartbeat and what NATS brings back of it."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    for _ in range(45):
        two.is_paused = True
        world.pass_time(LEASE + 4)
        two.is_paused = False
        world.pass_time(LEASE + 0.05)
    assert _told(two) == []
    assert _told(one) == [("bob", "offline"), ("bob", "online")] * 45


def test_a_gateway_with_many_rooms_is_known_again_soon() -> None:
    """All that is said of its rooms is asked for when it is back, and not only when it stands up for each."""
    world = _world(2)
    one, two = world.gateways
    names = [f"r{number}" for number in range(1_000)]
    for name in names:
        one.join(name, "ann")
        two.join(name, "bob")
    world.pass_time(10)
    two.is_paused = True
    world.pass_time(LEASE + 2)
    assert all(one.online(name) == {"ann"} for name in names)
    two.is_paused = False
    world.pass_time(3)
    assert all(one.online(name) == {"ann", "bob"} for name in names)


def test_a_room_that_is_opened_again_is_not_taken_for_what_it_was() -> None:
    """The versions of a gateway never come back: nobody believes to know what was said since."""
    world = _world(2)
    one, two, ann = _two_who_know(world)
    world.net.apart.add((one.bus, two.bus))
    one.leave(ROOM, ann)
    world.pass_time(0.1)
    one.close(ROOM)
    one.join(ROOM, "cam")
    world.pass_time(0.1)
    world.net.apart.clear()
    world.pass_time(3)
    assert two.online(ROOM) == {"bob", "cam"}
    assert sorted(_told(two)) == [("ann", "offline"), ("cam", "online")]


def test_a_gateway_whose_word_comes_and_whose_heartbeats_do_not_is_not_believed_for_long() -> None:
    """Offline once, however much it says: not online again with each word, and offline with each lease."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    listening = two.bus.listening[subjects.GATEWAYS]
    hear, name = listening.on_message, one.presence._voice.id.encode()
    listening.on_message = lambda each: None if name in each.subject else hear(each)
    world.pass_time(60)
    assert _told(two) == [("ann", "offline")]
    listening.on_message = hear
    world.pass_time(3)
    assert _told(two) == [("ann", "online")]


def test_whoever_ends_says_so() -> None:
    """Its users are offline at once, and it is no peer any more."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    two.presence.end()
    world.pass_time(0.1)
    assert _told(one) == [("bob", "offline")]
    assert len(one.presence._keeper.peers) == 0


def test_without_members_nothing_is_said_and_nothing_heard() -> None:
    """A gateway with no room is no peer of anybody, and hears none."""
    world = _world(3)
    _, _, ann = _two_who_know(world)
    one, _, idle = world.gateways
    assert [subject.split(".")[0] for subject in idle.bus.listening] == ["_INBOX"]
    one.leave(ROOM, ann)
    one.close(ROOM)
    world.pass_time(1)
    world.gateways[1].is_paused = True
    before = world.net.said
    world.pass_time(60)
    assert world.net.said == before


def test_what_keeping_costs_is_bounded() -> None:
    """So many rooms a second that a gateway stands up for, however many it has; and no more asked after an outage."""
    world = _world(2)
    one, two = world.gateways
    for number in range(1_500):
        one.join(f"r{number}", "ann")
        two.join(f"r{number}", "bob")
    world.pass_time(5)
    before = metrics.presence_said["stands",]
    world.pass_time(10)
    assert metrics.presence_said["stands",] - before <= 2 * 10 * 220
    asked = metrics.presence_said["asked",]
    one.bus.cut()
    one.bus.reconnect()
    world.pass_time(1)
    assert metrics.presence_said["asked",] - asked <= 1_100
    world.pass_time(4)
    assert metrics.presence_said["asked",] - asked == 1_500
    assert one.online("r1499") == two.online("r0") == {"ann", "bob"}
    assert one.deliveries == two.deliveries == 1_500 * 2


def test_what_all_the_others_hear_is_bounded() -> None:
    """A gateway with fifty others in each room says it so seldom that they hear 2,000 a second, and tells them so."""
    views: dict[str, Any] = {f"r{number}": SimpleNamespace(others=50) for number in range(400)}
    stood_up_for = Round(views, turn=0.5, shortest=2)
    heard = [len(list(stood_up_for.next())) * 50 for _ in range(20)]
    assert heard == [1_000] * 20
    assert stood_up_for.standing == 10


def test_a_gateway_whose_rooms_become_few_still_stands_up_for_them() -> None:
    """Nobody who is still there is told to be offline, however long ago their room had its turn among many."""
    world = _world(2)
    one, two = world.gateways
    rooms = [f"r{number}" for number in range(2_000)]
    connections = {each: one.join(each, "ann") for each in rooms}
    kept = [*rooms[:20], *rooms[-20:]]
    for each in kept:
        two.join(each, "bob")
    world.pass_time(16)  # the first had their turn more than two and a half short rounds ago
    two.delivered.clear()
    for each in set(rooms).difference(kept):
        one.leave(each, connections[each])
        one.close(each)
    world.pass_time(25)
    assert _told(two) == []
    kept_by_two = kept.pop()
    world.kill(one)
    world.pass_time(NOTICED)
    assert two.online(kept_by_two) == {"bob"}


def test_rooms_that_become_few_are_soon_stood_up_for_as_often_as_few() -> None:
    """One whose last word was lost is found within two and a half of their short rounds."""
    world = _world(2)
    one, two = world.gateways
    connections = [one.join(f"r{number}", "ann") for number in range(1_000)]
    two.join("r999", "bob")
    world.pass_time(12)
    for number, each in enumerate(connections[:-1]):
        one.leave(f"r{number}", each)
        one.close(f"r{number}")
    world.pass_time(10)
    world.net.loss = 1
    one.leave("r999", connections[-1])
    one.close("r999")
    one.join("other", "ann")
    world.pass_time(ALSO)
    world.net.loss = 0
    world.pass_time(NOTICED)
    assert two.online("r999") == {"bob"}


def test_a_gateway_that_hears_nothing_says_so() -> None:
    """In its log and its metrics, once: NATS may forbid it to listen, and all else may work."""
    world = _world(2)
    one, _, _ = _two_who_know(world)
    one.bus.carries = False
    with structlog.testing.capture_logs() as logs:
        world.pass_time(NOTICED)
        assert metrics.presence_deaf._value.get() == 1
        one.bus.reconnect()
        world.pass_time(NOTICED)
    assert metrics.presence_deaf._value.get() == 0
    ours = [each for each in logs if "own heartbeats" in each["event"]]
    assert [each["log_level"] for each in ours] == ["warning", "info"]


def test_the_log_names_a_gateway_that_is_silent_as_its_own_log_does() -> None:
    """By its instance, and which start of it that was."""
    world = _world(2)
    one, two, _ = _two_who_know(world)
    world.kill(two)
    with structlog.testing.capture_logs() as logs:
        world.pass_time(NOTICED)
    (silent,) = [each for each in logs if each["event"].startswith("a gateway is silent")]
    assert re.fullmatch(r"gateway-test-[A-Za-z0-9_-]{16}", silent["gateway"])
    assert one.online(ROOM) == {"ann"}


def test_the_id_of_a_gateway_is_one_whatever_its_instance_is_called() -> None:
    """However long, and in whatever letters; and no two starts have the same."""
    for instance in ("gateway-1", "a.host.example", "x" * 300, "\N{SNOWMAN} > *"):
        first, second = (Voice(Bus(Net(Random())), "_INBOX.gateway", instance).id for _ in range(2))  # type: ignore[arg-type]
        assert convert(first, Id) != second


def test_a_room_that_failed_to_open_takes_nothing_with_it_when_it_is_closed() -> None:
    """It was opened again meanwhile: whoever is in there now stays, and is counted until they go."""
    world = _world(2)
    one, two = world.gateways
    present = metrics.present._value.get()
    failed = one.open(ROOM)
    del one.rooms[ROOM]
    ann = one.join(ROOM, "ann")
    two.join(ROOM, "bob")
    one.presence.closed(failed)
    world.pass_time(3)
    assert one.online(ROOM) == two.online(ROOM) == {"ann", "bob"}
    assert metrics.present._value.get() == present + 2
    one.leave(ROOM, ann)
    world.pass_time(ALSO)
    assert two.online(ROOM) == {"bob"}
    assert metrics.present._value.get() == present + 1


def test_a_gateway_remembers_few_of_those_that_fell_silent() -> None:
    """However many come and go for years; and each is overdue once."""
    peers = Peers(8, 2)
    for number in range(3_000):
        assert not peers.beat(Heartbeat(gateway=f"gw-{number}"), 0)
    assert len(peers.overdue(9)) == 3_000
    assert peers.overdue(9) == []
    assert (len(peers), len(peers._silent)) == (0, 1024)
    assert peers.beat(Heartbeat(gateway="gw-2999", lease=100), 9)
    assert peers.overdue(100) == []


def test_what_cannot_be_read_is_counted_and_changes_nothing() -> None:
    """On each of the subjects that it comes on."""
    world = _world(2)
    one, _, _ = _two_who_know(world)
    before = metrics.live_unreadable._value.get()
    heard_on = [f"live.room.{ROOM}.presence", "live.gateway.gw-x.presence", *one.bus.listening]
    for subject in heard_on:
        listening = one.bus.heard_by(subject)
        assert listening is not None
        for data in (b"", b"{", b"[]", b'{"type":"presence.changed","gateway":"*","version":-1}', b"\xff"):
            listening.on_message(Delivery(subject.encode(), data, b""))
    assert metrics.live_unreadable._value.get() == before + 5 * len(heard_on)
    world.pass_time(NOTICED)
    assert one.online(ROOM) == {"ann", "bob"}
    assert _told(one) == []
