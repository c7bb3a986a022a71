"""Two gateways, what stands behind them, and a client that does what the official one does when it comes back.

Everything that takes time takes turns of the event loop; what NATS brings comes, late or never, when a test says so.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final
from unittest import mock

import msgspec

from runtime.key_value import Value, WrongRevisionError
from runtime.listening import Delivery
from runtime.stream import Entry
from services.gateway.access import Access
from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.edge.session import Reason, Session
from services.gateway.fanout import FanOut
from services.gateway.joining import Joining
from services.gateway.member_watch import MemberWatch
from services.gateway.missed import Missed
from services.gateway.recovery.recovery import Recovery
from services.gateway.recovery.session_bucket import SessionBucket
from services.gateway.recovery.sessions import Sessions
from services.gateway.relay import Relay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.replies import Joined
from services.gateway.requests import Join
from services.gateway.resuming import Resuming
from services.gateway.rooms import Rooms
from tests.support.edge import CURRENT, NOBODY_ASKS, Ears, Wire
from tests.support.membership import Membership
from wire import codec
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage, GetPage, Page, StoredMessage, User

ROOMS: Final = ("a", "b", "c")

_ids = itertools.count()


class Bucket:
    """Stands for the bucket; of the next `lost` puts the answers do not come, and every second is not stored."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.lost = 0
        self._revisions = itertools.count(1)

    async def get(self, key: str) -> Value | None:
        """See `KeyValue`."""
        await asyncio.sleep(0)
        return self.values.get(key)

    async def put(self, key: str, data: bytes | None, *, after: int) -> int:
        """See `KeyValue`."""
        await asyncio.sleep(0)
        lost = self.lost
        self.lost = max(0, lost - 1)
        if lost % 2 == 0:
            here = self.values.get(key)
            if (0 if here is None else here.revision) != after:
                raise WrongRevisionError
            self.values[key] = Value(next(self._revisions), data)
        if lost:
            raise ParleyError(ErrorCode.UNAVAILABLE, "no answer in time")
        await asyncio.sleep(0)
        return self.values[key].revision

    async def delete(self, key: str, *, after: int) -> int:
        """See `KeyValue`."""
        return await self.put(key, None, after=after)


class Gateway:
    """One of the two. `live` is what is on its way to it, by room."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.client = self
        self.is_connected = True
        self.live: dict[str, deque[tuple[int, int]]] = {room: deque() for room in ROOMS}
        self.fan_out = FanOut(0)
        self.relay = Relay(self.fan_out, self, CURRENT, NOBODY_ASKS)  # type: ignore[arg-type]
        self.rooms = Rooms(self, self.relay.on_live, self.last_seq, NOBODY_ASKS, linger=0)  # type: ignore[arg-type]
        missed = Missed(self.page, self, ReplayMemory())  # type: ignore[arg-type]
        resuming = Resuming(self.fan_out, missed, CURRENT, seconds=5)  # type: ignore[arg-type]
        self.joining = Joining(self.fan_out, self.rooms, self.relay, resuming)
        self.sessions = Sessions(SessionBucket(world.bucket))  # type: ignore[arg-type]
        self.recovery = Recovery(
            sessions=self.sessions,
            rooms=self.rooms,
            access=Access(Membership(), public_rooms=True),
            watch=MemberWatch(),
            joining=self.joining,
            missed=missed,
            fan_out=self.fan_out,
        )

    def listen(self, subject: str, _on_message: Any) -> Any:
        """See `Bus`."""
        self.live[subject.split(".")[2]].clear()
        return mock.Mock()

    async def last_seq(self, room: str) -> int:
        """See `MessageStream`."""
        await asyncio.sleep(0)
        return max(self.world.stored[room], default=0)

    async def between(self, room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        """See `MessageStream`."""
        for seq in list(self.world.stored[room]):
            if after < seq <= upto:
                await asyncio.sleep(0)
                yield Entry(seq, _chat(seq))

    async def page(self, request: GetPage) -> Page:
        """What history answers."""
        await asyncio.sleep(0)
        stored, before = self.world.stored[request.room], request.before or 1 << 60
        found = [seq for seq in stored if (request.after or 0) < seq < before]
        messages = [StoredMessage.of(_chat(seq), room=request.room, seq=seq, prev=0) for seq in found]
        await asyncio.sleep(0)
        return Page(messages=messages, more=False)

    def hear(self, room: str) -> None:
        """The oldest that is on its way in `room` comes."""
        here = self.rooms._rooms.get(room)
        if self.live[room] and here is not None:
            self.relay.on_live(here, _delivery(*self.live[room].popleft()))

    def lose(self, room: str) -> None:
        """It never does; that may go unnoticed for long."""
        if self.live[room]:
            self.live[room].popleft()


class World:
    """What is stored, in one stream for all rooms."""

    def __init__(self) -> None:
        self.stored: dict[str, list[int]] = {room: [] for room in ROOMS}
        self.bucket = Bucket()
        self.gateways = [Gateway(self), Gateway(self)]
        self._seqs = itertools.count(1)

    def say(self, room: str) -> None:
        """Somebody says something."""
        last = max(self.stored[room], default=0)
        seq = next(self._seqs)
        self.stored[room].append(seq)
        for each in self.gateways:
            each.live[room].append((seq, last))


class Client:
    """An application on the official client: it joins, and joins again what was not acknowledged or not recovered."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.got: dict[str, list[int]] = {}
        """What came in each room that it wants to be in."""
        self.base: dict[str, int] = {}
        """What the acknowledgement of its first join said."""
        self.wanted: dict[str, bool] = {}
        """The rooms, and whether what was asked for is acknowledged; False also for one that is to be left."""
        self.leaving: set[str] = set()
        self.recovered: list[bool] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.connections: list[tuple[Gateway, Connection]] = []
        """All that it ever had: those that vanished are still there for their gateways."""
        self.is_in = False
        """What it sends before is sent then."""
        self.connection: Connection | None = None
        self.gateway: Gateway | None = None
        self._auth: dict[str, Any] = {"recover": True}
        self._wire = Wire()
        self._applied = 0
        self._busy: asyncio.Lock = asyncio.Lock()

    # --- its connection ---------------------------------------------------------------------------------------------

    async def connect(self, gateway: Gateway) -> None:
        """As `Clients` and `app` do it."""
        self.gateway, self._wire, self._applied, self._busy = gateway, Wire(), 0, asyncio.Lock()
        id = f"c{next(_ids)}"
        bearer = Verified(user=User(id="u", display_name="U"), session="s", expires_at=0, issued_at=0)
        self.connection = connection = Connection(id, bearer, Session(Ears(), id, self._wire))
        self.connections.append((gateway, connection))
        await gateway.recovery.begin(connection, dict(self._auth))
        if connection.is_open:
            packets = gateway.recovery.complete(connection)
            assert connection.kept is not None
            answer = f'0{{"pid":"{connection.kept.pid}"}}'.encode()
            connection.session.write(b"".join(map(frames.message, [answer, *packets])))

    def lose(self, *, noticed: bool) -> None:
        """The connection is gone; its gateway may not have noticed, and goes on writing to it."""
        connection, gateway = self.connection, self.gateway
        self.connection, self.is_in = None, False
        if noticed and connection is not None and gateway is not None:
            connection.session.abort(Reason.TRANSPORT_CLOSE)
            gateway.sessions.end(connection)
            gateway.fan_out.forget(connection)
            for room in tuple(connection.rooms):
                gateway.rooms.leave(room, connection)

    def read(self, count: int) -> None:
        """Handle the next `count` packets, if there are as many."""
        packets = self._wire.packets[self._applied :][:count] if self.connection is not None else []
        self._applied += len(packets)
        for each in packets:
            self._handle(str(each))

    @property
    def has_read(self) -> bool:
        """Whether nothing is left to be handled."""
        return self._applied == len(self._wire.packets)

    def _handle(self, packet: str) -> None:
        if packet.startswith("40"):
            pid = msgspec.json.decode(packet[2:])["pid"]
            self.recovered.append(pid == self._auth.get("pid"))
            self._auth["pid"] = pid
            self.is_in = True
            for room, acknowledged in list(self.wanted.items()):
                if not acknowledged or not self.recovered[-1]:
                    self._ask(room)
        elif packet.startswith("42"):
            _, message, offset = msgspec.json.decode(packet[2:])
            self._auth["offset"] = offset
            self.got.setdefault(message["room"], []).append(message["seq"])
        else:
            room, _, ok = packet[2:].partition(" ")
            if not ok:
                self._ask(room)
            elif room in self.leaving:
                self._forget(room)
            else:
                self.wanted[room] = True
                self.base.setdefault(room, int(ok))

    # --- its application --------------------------------------------------------------------------------------------

    def join(self, room: str) -> None:
        """Once; unless it is there, or about to be."""
        if room not in self.wanted:
            self._ask(room)

    def leave(self, room: str) -> None:
        """If it is there."""
        if self.wanted.get(room):
            self.leaving.add(room)
            self._ask(room)

    def check(self) -> None:
        """Everything that came, came once, in order, and without a hole."""
        for room, got in self.got.items():
            stored = self.world.stored[room]
            began = self.base.get(room, got[0] - 1 if got else 0)
            began = min(began, got[0] - 1) if got else began
            expected = [seq for seq in stored if seq > began]
            assert got == expected[: len(got)], (room, got, expected)

    def _forget(self, room: str) -> None:
        self.check()
        self.leaving.discard(room)
        for each in (self.wanted, self.got, self.base):
            each.pop(room, None)

    def _ask(self, room: str) -> None:
        self.wanted[room] = False
        if self.is_in and self.connection is not None and self.gateway is not None:
            task = asyncio.ensure_future(self._carry_out(self.gateway, self.connection, room))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _carry_out(self, gateway: Gateway, connection: Connection, room: str) -> None:
        """As `Events` does it: one after the other, each acknowledged in the turn in which it is done."""
        kept = connection.kept
        assert kept is not None
        async with self._busy:
            try:
                if room in self.leaving:
                    await gateway.sessions.leaving(connection, room)
                    gateway.fan_out.settle(connection)
                    gateway.rooms.leave(room, connection)
                    ack = f"3{room} ok"
                else:
                    after = self.got[room][-1] if self.got.get(room) else self.base.get(room)
                    kept.places.begin(room, after)
                    joining = gateway.joining.join(connection, Join(room=room, after=after))
                    joined: Joined = await gateway.sessions.joining(connection, joining)
                    ack = f"3{room} {joined.seq}"
            except ParleyError:
                ack = f"3{room} "
            gateway.fan_out.send(connection, ack.encode())


def _chat(seq: int) -> ChatMessage:
    return ChatMessage(id=f"m{seq}", author=Author(id="u", display_name="U"), body="x", ts=1)


def _delivery(seq: int, prev: int) -> Delivery:
    headers = f"Nats-Sequence: {seq}\r\nNats-Last-Sequence: {prev}\r\nNats-Time-Stamp: 2026-01-01T00:00:00.123456789Z"
    return Delivery(b"live", codec.encode(_chat(seq)), f"NATS/1.0\r\n{headers}\r\n\r\n".encode())
