"""Joining a room: listen first, tell what was missed, then go live. Never twice, never with a hole."""

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.pushes import event
from services.gateway.relay import Relay
from services.gateway.replies import Joined
from services.gateway.requests import Join
from services.gateway.rooms import Room, Rooms
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page, StoredMessage

MISSED_MOST: Final = 500
_CATCH_UP_SECONDS: Final = 5.0
_PORTION_BYTES: Final = 64 * 1024


class Joining:
    """Lets connections into rooms."""

    def __init__(self, fan_out: FanOut, rooms: Rooms, relay: Relay, history: Caller[Page]) -> None:
        self._fan_out = fan_out
        self._rooms = rooms
        self._relay = relay
        self._history = history

    def join_at_once(self, connection: Connection, request: Join) -> Joined | None:
        """Let `connection` in if there is nothing to wait for, None otherwise. Raises `ParleyError`: unavailable."""
        room = self._rooms.opened(request.room)
        if room is None or connection in room.resuming or request.after not in {None, room.last_seq}:
            return None
        self._enter(room, connection)
        return Joined(room=room.name, seq=room.last_seq, missed=0, truncated=False)

    async def join(self, connection: Connection, request: Join) -> Joined:
        """Let `connection` in. Raises `ParleyError`: invalid while another join of it is under way, unavailable."""
        room = await self._rooms.hold(request.room)
        try:
            self._check_open(connection)
            if connection in room.resuming:
                raise ParleyError(ErrorCode.INVALID, "a join of this room is under way")
            missed, truncated = 0, False
            if connection not in room.members:
                if request.after is not None and request.after > room.last_seq:
                    # The client has seen more elsewhere: it must not be told of that again when it comes here.
                    await self._catch_up(room)
                    self._check_open(connection)
                if request.after is not None and request.after < room.last_seq:
                    missed, truncated = await self._tell_missed(room, connection, request.after)
                self._enter(room, connection)
            return Joined(room=room.name, seq=room.last_seq, missed=missed, truncated=truncated)
        finally:
            self._rooms.release(room)

    async def _catch_up(self, room: Room) -> None:
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                await self._relay.catch_up(room)
        except TimeoutError:
            raise ParleyError(ErrorCode.UNAVAILABLE, "the message stream does not answer", retry_after=1) from None

    async def _tell_missed(self, room: Room, connection: Connection, after: int) -> tuple[int, bool]:
        came_meanwhile = room.resuming[connection] = deque()
        try:
            missed, truncated = await self._read_missed(room, after)
            self._check_open(connection)
            count = portion = 0
            for packet in chain(map(_shown, missed), _taken(came_meanwhile)):
                self._fan_out.send(connection, packet)
                count, portion = count + 1, portion + len(packet)
                if portion > _PORTION_BYTES:
                    # As fast as it reads: what it missed may be far more than may wait for one client.
                    self._fan_out.settle(connection)
                    await connection.session.caught_up()
                    self._check_open(connection)
                    portion = 0
        finally:
            del room.resuming[connection]
        return count, truncated

    def _enter(self, room: Room, connection: Connection) -> None:
        self._fan_out.entering(room, connection)
        self._rooms.enter(room, connection)

    async def _read_missed(self, room: Room, after: int) -> tuple[list[StoredMessage], bool]:
        """The newest `MISSED_MOST` after `after`, and whether there are more; in as many pages as they take."""
        missed: list[StoredMessage] = []
        before, more = room.last_seq + 1, True
        while more and len(missed) < MISSED_MOST:
            limit = MISSED_MOST - len(missed)
            page = await self._history(GetPage(room=room.name, after=after, before=before, limit=limit))
            missed = page.messages + missed
            more = page.more
            before = missed[0].seq if missed else before
        return missed, more

    @staticmethod
    def _check_open(connection: Connection) -> None:
        if not connection.is_open:
            raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")


def _shown(message: StoredMessage) -> bytes:
    return event("message", message)


def _taken(packets: deque[bytes]) -> Iterator[bytes]:
    """What is in `packets`, until there is nothing in it."""
    while packets:
        yield packets.popleft()


class Baselines:
    """The last seq of a room when a gateway begins to listen to it."""

    def __init__(self, stream: MessageStream, history: Caller[Page]) -> None:
        self._stream = stream
        self._history = history

    async def of(self, room: str) -> int:
        """Raises `ParleyError` (unavailable) when the stream does not answer.

        Asks history only about a room that the stream holds nothing of.
        """
        last = await self._stream.last_seq(room)
        if last:
            return last
        try:
            page = await self._history(GetPage(room=room, limit=1))
        except ParleyError as error:
            if error.code is not ErrorCode.UNAVAILABLE:
                raise
            # A new room must not wait for history. An old one that nobody wrote to for as long as the stream keeps
            # messages is taken for new: its next message will name 0 as the one before it.
            return 0
        return page.messages[-1].seq if page.messages else 0
