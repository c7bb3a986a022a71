"""Presence, whatever happens: three gateways, and in the end each knows the truth, and has told it."""

from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.gateway.connection import Connection
from services.gateway.pushes import PresenceShown
from services.gateway.rooms import Room
from tests.support.presence_world import NOTICED, Gateway, World

GATEWAYS: Final = 3
ROOMS: Final = ("r1", "r2")
USERS: Final = ("ann", "bob", "cam", "dee")

gateways = st.integers(0, GATEWAYS - 1)
rooms = st.sampled_from(ROOMS)
users = st.sampled_from(USERS)


class Presences(RuleBasedStateMachine):
    """People with several sockets come and go, while gateways die, stand still, and are cut off from each other."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.batch_above = [0, 1000, 1000]
        self.places: dict[Connection, tuple[Gateway, str]] = {}
        self.told: dict[Room, set[str]] = {}
        """Who is there, for somebody who has asked once, and was told of everything since."""

    @initialize(seed=st.integers(0, 1 << 32), batch_above=st.sampled_from([0, 2, 1000]))
    def start(self, seed: int, batch_above: int) -> None:
        """Three of them; the first has another idea of what is large."""
        self.world = World(seed)
        self.batch_above[0] = batch_above
        for each in self.batch_above:
            self.world.start(batch_above=each)

    @rule(gateway=gateways, room=rooms, user=users)
    def join(self, gateway: int, room: str, user: str) -> None:
        """One more socket, if the gateway can take any."""
        here = self.world.gateways[gateway]
        if not here.is_paused and (here.bus.is_connected or room in here.rooms):
            self.places[here.join(room, user)] = here, room

    @precondition(lambda self: self.places)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Somebody leaves, or their connection breaks; the room may be closed for it."""
        connection = data.draw(st.sampled_from(list(self.places)))
        gateway, room = self.places[connection]
        if gateway.is_paused:
            return
        del self.places[connection]
        gateway.leave(room, connection)
        if not gateway.rooms[room].members:
            self.told.pop(gateway.rooms[room], None)
            if data.draw(st.booleans()):
                gateway.close(room)

    @rule(gateway=gateways)
    def kill(self, gateway: int) -> None:
        """It is gone, with all its sockets, and another comes in its place."""
        dead = self.world.gateways[gateway]
        self.world.kill(dead)
        self.places = {each: place for each, place in self.places.items() if place[0] is not dead}
        self.world.gateways.insert(gateway, self.world.start(batch_above=self.batch_above[gateway]))
        self.world.gateways.pop()

    @rule(gateway=gateways)
    def pause(self, gateway: int) -> None:
        """It does nothing for a while."""
        self.world.gateways[gateway].is_paused = True

    @rule(gateway=gateways)
    def cut_off(self, gateway: int) -> None:
        """It has no connection to NATS."""
        self.world.gateways[gateway].bus.cut()

    @rule(gateway=gateways)
    def swallow(self, gateway: int) -> None:
        """It believes that it has one."""
        self.world.gateways[gateway].bus.carries = False

    @rule(one=gateways, other=gateways)
    def part(self, one: int, other: int) -> None:
        """One does not hear another, and neither knows."""
        here, there = self.world.gateways[one], self.world.gateways[other]
        if here is not there:
            self.world.net.apart.add((here.bus, there.bus))

    @rule(loss=st.sampled_from([0.0, 0.1, 0.5]), is_slow=st.booleans())
    def disturb(self, loss: float, *, is_slow: bool) -> None:
        """Some of all messages are lost, or come late."""
        self.world.net.loss, self.world.is_slow = loss, is_slow

    @rule(gateway=gateways)
    def forget(self, gateway: int) -> None:
        """It does not know who may be here, and tells nothing."""
        self.world.gateways[gateway].control.is_current = False

    @rule(gateway=gateways)
    def recover(self, gateway: int) -> None:
        """It goes on, has a connection again, and knows who may be here."""
        here = self.world.gateways[gateway]
        here.is_paused = False
        here.bus.reconnect()
        here.control.is_current = True
        here.presence.on_current()

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 3.0, 9.0, 30.0]))
    def pass_time(self, seconds: float) -> None:
        """And nothing else happens."""
        self.world.pass_time(seconds)

    @rule()
    def settle(self) -> None:
        """Once all works again, everybody knows the truth before long, and everybody there was told it."""
        self.world.heal()
        for number in range(GATEWAYS):
            self.recover(number)
        self.world.pass_time(NOTICED)
        self.check_told()
        for room in ROOMS:
            truth = self.world.truth(room)
            for gateway in self.world.gateways:
                if room in gateway.rooms and gateway.rooms[room].members:
                    assert gateway.online(room) == truth
                    assert self.told[gateway.rooms[room]] == truth
        assert all(len(gateway.presence._keeper.peers) < GATEWAYS for gateway in self.world.gateways)

    @invariant()
    def check_told(self) -> None:
        """Nobody is told twice that somebody comes, or goes."""
        for gateway in self.world.gateways:
            for room, shown, _ in gateway.delivered:
                self._on_told(room, shown)
            gateway.delivered.clear()
            for name, room in gateway.rooms.items():
                if room.members and room not in self.told and gateway.presence.is_known(name):
                    if gateway.control.is_current:
                        self.told[room] = gateway.online(name)
                        gateway.delivered.clear()
                elif room in self.told:
                    view = gateway.presence._views[name]
                    assert {each.id for each in view.shown(1000)} ^ self.told[room] <= view.unshown.keys()

    def _on_told(self, room: Room, shown: object) -> None:
        told = self.told.get(room)
        if told is None:
            return
        if isinstance(shown, PresenceShown):
            assert (shown.user in told) == (shown.state == "offline")
        for each in [shown] if isinstance(shown, PresenceShown) else shown.changes:  # type: ignore[attr-defined]
            (told.add if each.state == "online" else told.discard)(each.user)

    def teardown(self) -> None:
        """It always ends well."""
        if self.world.gateways:
            self.settle()


TestPresence = Presences.TestCase
TestPresence.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
