"""The rooms this gateway has members in, and its interest in them on NATS.

One subscription per room with local members, made for the first and dropped some seconds after the last. A room
without members here costs this gateway nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

from runtime.bus import Bus
from runtime.listening import Delivery, Listening
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.edge.session import Session
from services.gateway.joined_frames import Waiting
from services.gateway.replay import Replay
from wire import subjects
from wire.errors import ErrorCode, ParleyError
from wire.headers import Position
from wire.messages import ChatMessage

_BEHIND_MOST: Final = 1000


OnLive = Callable[["Room", Delivery], None]
Baseline = Callable[[str], Awaitable[int]]


class Room:
    """A room, as far as this gateway knows it."""

    __slots__ = (
        "behind",
        "busy_until",
        "filled_upto",
        "holds",
        "keeping",
        "last_seq",
        "linger",
        "lock",
        "members",
        "name",
        "opening",
        "replay",
        "resuming",
        "subscription",
        "waiting",
        "waiting_since",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[Connection, Session] = {}
        self.keeping: set[Connection] = set()
        """Those of them whose clients can get their session back."""
        self.waiting: list[Waiting] = []
        """What is to be written to the members in a moment; this and the next two are the fan-out's."""
        self.waiting_since = 0.0
        """When the first of it came, by `time.monotonic`."""
        self.busy_until = 0.0
        self.resuming: set[Connection] = set()
        """Members-to-be that are being told what they missed."""
        self.replay: Replay | None = None
        """What is kept for them, from the first on until some time after the last."""
        self.last_seq = 0
        """No message above it has been delivered here."""
        self.filled_upto = 0
        """The stream was read up to there: whatever is still missing is not to be had."""
        self.lock = asyncio.Lock()
        """Held while something is put in its place and delivered: one at a time, in order."""
        self.behind: deque[tuple[ChatMessage, Position]] | None = None
        """What came live and waits for a hole to be filled, if anything does. An empty deque is half of a room."""
        self.holds = 0
        """Joins under way."""
        self.opening: asyncio.Task[None] | None = None
        self.subscription: Listening | None = None
        self.linger: asyncio.TimerHandle | None = None

    def wait_behind(self, message: ChatMessage, position: Position) -> None:
        """Let it wait for a hole to be filled. Above a limit the oldest that wait become part of the hole."""
        if self.behind is None:
            self.behind = deque(maxlen=_BEHIND_MOST)
        self.behind.append((message, position))


class Register(Protocol):
    """Who has to know who is in which room: `Presence`."""

    def opened(self, room: Room, /) -> None:
        """It is listened to."""

    def entered(self, room: Room, connection: Connection, /) -> None:
        """`connection` is in, and was not."""

    def left(self, room: Room, connection: Connection, /) -> None:
        """And is not any more."""

    def closed(self, room: Room, /) -> None:
        """It is not listened to any more."""


class Rooms:
    """Opens and closes rooms as members come and go. `on_live` gets what is published live in an open one."""

    def __init__(self, bus: Bus, on_live: OnLive, baseline: Baseline, register: Register, *, linger: float) -> None:
        self._register = register
        self._bus = bus
        self._on_live = on_live
        self._baseline = baseline
        self._linger = linger
        self._rooms: dict[str, Room] = {}

    def opened(self, name: str) -> Room | None:
        """The room, if it is listened to and its last seq known. Raises as `hold`."""
        self._check_connected()
        room = self._rooms.get(name)
        return room if room is not None and room.opening is None else None

    def open_rooms(self) -> list[Room]:
        """The rooms that this gateway listens to, and whose last seq it knows."""
        return [room for room in self._rooms.values() if room.opening is None]

    async def hold(self, name: str) -> Room:
        """The room, listened to and with its last seq known; `release` it. Raises `ParleyError` (unavailable)."""
        self._check_connected()
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name)
            room.opening = asyncio.create_task(self._open(room))
            metrics.rooms.set(len(self._rooms))
        _stay(room)
        room.holds += 1
        try:
            if room.opening is not None:
                # Shared by all who wait for it, so none of them may cancel it.
                await asyncio.shield(room.opening)
        except BaseException:
            self.release(room)
            raise
        return room

    def release(self, room: Room) -> None:
        """The join that held `room` is over."""
        room.holds -= 1
        self._close_if_empty(room)

    def enter(self, room: Room, connection: Connection) -> None:
        """`connection` gets what is live in `room` from now on. It may be in already."""
        _stay(room)
        if connection not in room.members:
            self._register.entered(room, connection)
        room.members[connection] = connection.session
        connection.rooms.add(room.name)
        if connection.kept is not None:
            room.keeping.add(connection)
            connection.kept.enter(room.name, room.last_seq)

    def leave(self, name: str, connection: Connection) -> None:
        """`connection` gets nothing of the room any more."""
        connection.rooms.discard(name)
        if connection.session.newest is not None:
            connection.session.newest.discard(name)
        room = self._rooms.get(name)
        if room is not None and connection in room.members:
            del room.members[connection]
            if connection.kept is not None:
                room.keeping.discard(connection)
                connection.kept.leave(name)
            self._register.left(room, connection)
            self._close_if_empty(room)

    def _check_connected(self) -> None:
        if not self._bus.client.is_connected:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected to the message bus", retry_after=1)

    async def _open(self, room: Room) -> None:
        room.subscription = self._bus.listen(subjects.live_interest(room.name), partial(self._on_live, room))
        self._register.opened(room)
        # Asked on the same connection after the subscription: nothing can fall between the two.
        baseline = await self._baseline(room.name)
        room.last_seq = max(room.last_seq, baseline)  # which may have risen while we waited
        room.opening = None

    def _close_if_empty(self, room: Room) -> None:
        if room.members or room.holds or room.linger is not None:
            return
        failed = room.opening is not None
        delay = 0 if failed else self._linger
        room.linger = asyncio.get_running_loop().call_later(delay, self._close, room)
        if failed:
            # The next to join must try again, not find this one.
            self._forget(room)

    def _close(self, room: Room) -> None:
        self._forget(room)
        if room.subscription is not None:
            room.subscription.close()
            room.subscription = None
            self._register.closed(room)

    def _forget(self, room: Room) -> None:
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
        metrics.rooms.set(len(self._rooms))


def _stay(room: Room) -> None:
    """Somebody comes: whatever was about to close the room does not."""
    if room.linger is not None:
        room.linger.cancel()
        room.linger = None
