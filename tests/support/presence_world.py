"""Gateways that tell each other who is present, over a bus that loses, delays and parts them when a test says so."""

import itertools
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from unittest import mock

from runtime.listening import Delivery
from services.gateway.connection import Connection
from services.gateway.presence import keeper as presence_keeper
from services.gateway.presence import presence
from services.gateway.presence import told as presence_told
from services.gateway.presence.presence import Presence
from services.gateway.pushes import PresenceShown, RoomPresence
from services.gateway.relay import Relay
from services.gateway.rooms import Room
from tests.support.edge import Clockwork, Current
from wire import subjects
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

LEASE: Final = 8.0
NOTICED: Final = 10.0
"""Seconds within which everybody knows what is true."""
_STEP: Final = 0.05

_ids = itertools.count(1)


class _Listening:
    def __init__(self, bus: "Bus", subject: str, on_message: Callable[[Delivery], None]) -> None:
        self.bus = bus
        self.subject = subject
        self.on_message = on_message

    def close(self) -> None:
        self.bus.listening.pop(self.subject, None)


class Bus:
    """One gateway's connection to NATS."""

    def __init__(self, net: "Net") -> None:
        self.net = net
        self.client = self
        self.is_connected = True
        self.carries = True
        """Whether anything passes, which it need not although it is connected."""
        self.listening: dict[str, _Listening] = {}
        self.inbox: dict[Bus, deque[tuple[str, bytes]]] = defaultdict(deque)
        self._reconnected: list[Callable[[], Awaitable[None]]] = []

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """See `Bus`."""
        self._reconnected.append(callback)

    def listen(self, subject: str, on_message: Callable[[Delivery], None]) -> _Listening:
        """See `Bus`."""
        listening = self.listening[subject] = _Listening(self, subject, on_message)
        return listening

    def heard_by(self, subject: str) -> _Listening | None:
        """Who listens to it here: to the subject, or to one with a `*` in it."""
        front, _, kind = subject.rpartition(".")
        patterns = (subject, f"{front}.*", f"{front.rpartition('.')[0]}.*.{kind}")
        return next((self.listening[each] for each in patterns if each in self.listening), None)

    def publish(self, subject: str, payload: bytes) -> None:
        """See `Bus`."""
        if not self.is_connected:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected")
        self.net.said += 1
        if self.carries:
            self.net.carry(self, subject, payload)

    def cut(self) -> None:
        """Lose the connection, and all that was on its way to here."""
        self.is_connected = False
        self.inbox.clear()

    def reconnect(self) -> None:
        """Have it again."""
        was_connected, self.is_connected, self.carries = self.is_connected, True, True
        if not was_connected:
            for each in self._reconnected:
                with suppress(StopIteration):
                    each().__await__().__next__()

    def receive(self, most: Callable[[int], int]) -> None:
        """Hear what has come, `most` of what each has said."""
        for said in list(self.inbox.values()):
            for _ in range(most(len(said))):
                if said:
                    subject, data = said.popleft()
                    if (listening := self.heard_by(subject)) is not None:
                        listening.on_message(Delivery(subject.encode(), data, b""))


class Net:
    """What is between them. `loss` of all messages are lost, and those of the `apart` pairs all."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.buses: list[Bus] = []
        self.loss = 0.0
        self.apart: set[tuple[Bus, Bus]] = set()
        self.said = 0
        """How many messages."""

    def carry(self, source: Bus, subject: str, payload: bytes) -> None:
        """To whoever is interested by now."""
        for bus in self.buses:
            if not (bus.is_connected and bus.carries) or (source, bus) in self.apart:
                continue
            if bus.heard_by(subject) is not None and self.rng.random() >= self.loss:
                bus.inbox[source].append((subject, payload))


class Gateway:
    """One process: all that it has of presence is real."""

    def __init__(self, net: Net, *, batch_above: int = 1000, lease: float = LEASE) -> None:
        self.clock = Clockwork()
        self.control = Current()
        self.bus = Bus(net)
        net.buses.append(self.bus)
        self.is_paused = False
        self.delivered: list[tuple[Room, PresenceShown | RoomPresence, str | None]] = []
        self.deliveries = 0
        """To single members."""
        self.rooms: dict[str, Room] = {}
        patches = [
            mock.patch.object(each, "asyncio", self.clock) for each in (presence, presence_keeper, presence_told)
        ]
        with patches[0], patches[1], patches[2]:
            self.presence = Presence(
                self.bus,  # type: ignore[arg-type]
                self,  # type: ignore[arg-type]
                self.control,
                instance="gateway.test",
                inbox=subjects.inbox("gateway"),
                lease=lease,
                batch_above=batch_above,
            )
        self._relay = Relay(self, mock.Mock(), self.control, self.presence)  # type: ignore[arg-type]

    def deliver(self, room: Room, shown: Any, *, skip: str | None = None) -> None:
        """See `FanOut`."""
        self.delivered.append((room, shown, skip))
        self.deliveries += len(room.members)

    def open(self, name: str) -> Room:
        """As `Rooms` does it."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = Room(name)
            on_live = self._relay.on_live
            listening = self.bus.listen(subjects.live_interest(name), lambda each: on_live(room, each))
            room.subscription = listening  # type: ignore[assignment]
            self.presence.opened(room)
        return room

    def join(self, name: str, user: str) -> Connection:
        """One more socket of `user` comes into the room."""
        room = self.open(name)
        bearer = Verified(user=User(id=user, display_name=user.upper()), session="s", expires_at=0, issued_at=0)
        connection = Connection(f"c{next(_ids)}", bearer, None)  # type: ignore[arg-type] # nothing is sent to it
        self.presence.entered(room, connection)
        room.members[connection] = connection.session
        return connection

    def leave(self, name: str, connection: Connection) -> None:
        """It goes."""
        room = self.rooms[name]
        del room.members[connection]
        self.presence.left(room, connection)

    def close(self, name: str) -> None:
        """The linger is over."""
        room = self.rooms.pop(name)
        assert room.subscription is not None
        room.subscription.close()
        self.presence.closed(room)

    def online(self, name: str) -> set[str]:
        """Who is in the room, as its members are told who ask."""
        room = self.rooms[name]
        if not room.members:
            return set()
        return {each.id for each in self.presence.members(name, next(iter(room.members))).members}


class World:
    """Some gateways, and the time."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = random.Random(seed)
        self.net = Net(self.rng)
        self.gateways: list[Gateway] = []
        self.is_slow = False
        """Whether what is said takes its time."""

    def start(self, **more: Any) -> Gateway:
        """One more."""
        gateway = Gateway(self.net, **more)
        self.gateways.append(gateway)
        return gateway

    def kill(self, gateway: Gateway) -> None:
        """It is gone without a word."""
        self.gateways.remove(gateway)
        self.net.buses.remove(gateway.bus)

    def pass_time(self, seconds: float) -> None:
        """Everywhere; those that are paused do not notice."""
        for _ in range(max(1, round(seconds / _STEP))):
            for gateway in self.rng.sample(self.gateways, len(self.gateways)):
                if gateway.is_paused:
                    gateway.clock.stand_still(_STEP)
                else:
                    gateway.bus.receive(lambda most: self.rng.randint(0, most) if self.is_slow else most)
                    gateway.clock.pass_time(_STEP)

    def heal(self) -> None:
        """Everything works again."""
        self.net.loss, self.is_slow = 0, False
        self.net.apart.clear()
        for gateway in self.gateways:
            gateway.is_paused = False
            gateway.bus.reconnect()

    def truth(self, room: str) -> set[str]:
        """Who is in it."""
        return {
            connection.bearer.user.id
            for gateway in self.gateways
            if room in gateway.rooms
            for connection in gateway.rooms[room].members
        }
