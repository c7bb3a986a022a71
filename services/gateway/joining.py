"""Joining a room: listen first, tell what was missed, then go live. Never twice, never with a hole."""

import asyncio
from typing import Final

from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.relay import Relay
from services.gateway.replies import Joined
from services.gateway.requests import Join
from services.gateway.resuming import Resuming
from services.gateway.rooms import Room, Rooms
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page

_CATCH_UP_SECONDS: Final = 5.0
_VERDICTS: Final = {ErrorCode.UNAVAILABLE: "unavailable", ErrorCode.NOT_JOINED: "gone", ErrorCode.INTERNAL: "failed"}


class Joining:
    """Lets connections into rooms."""

    def __init__(self, fan_out: FanOut, rooms: Rooms, relay: Relay, resuming: Resuming) -> None:
        self._fan_out = fan_out
        self._rooms = rooms
        self._relay = relay
        self._resuming = resuming

    def join_at_once(self, connection: Connection, request: Join) -> Joined | None:
        """Let `connection` in if there is nothing to wait for, None otherwise. Raises `ParleyError`: unavailable."""
        room = self._rooms.opened(request.room)
        if room is None or connection in room.resuming or request.after not in {None, room.last_seq}:
            return None
        self._enter(room, connection)
        if request.after is not None:
            metrics.resumes["complete",] += 1
        return Joined(room=room.name, seq=room.last_seq, missed=0, truncated=False)

    async def join(self, connection: Connection, request: Join) -> Joined:
        """Let `connection` in. Raises `ParleyError`: invalid while another join of it is under way, unavailable."""
        if request.after is None:
            return await self._join(connection, request)
        verdict = "failed"
        try:
            joined = await self._join(connection, request)
            verdict = "truncated" if joined.truncated else "complete"
        except ParleyError as error:
            verdict = _VERDICTS.get(error.code, "refused")
            raise
        except asyncio.CancelledError:  # whoever asked may not be in the room any more
            verdict = "refused"
            raise
        finally:
            metrics.resumes[verdict,] += 1
        return joined

    async def _join(self, connection: Connection, request: Join) -> Joined:
        room = await self._rooms.hold(request.room)
        try:
            connection.check_open()
            if connection in room.resuming:
                raise ParleyError(ErrorCode.INVALID, "a join of this room is under way")
            missed, truncated = 0, False
            if connection not in room.members:
                if request.after is not None and request.after > room.last_seq:
                    # The client has seen more elsewhere: it must not be told of that again when it comes here.
                    await self.catch_up(room)
                    connection.check_open()
                if request.after is not None and request.after < room.last_seq:
                    missed, truncated = await self._tell_missed(room, connection, request.after)
                # In the same turn of the loop: until the next, nothing comes that it was not told of.
                connection.check_open()
                self._enter(room, connection)
            return Joined(room=room.name, seq=room.last_seq, missed=missed, truncated=truncated)
        finally:
            self._rooms.release(room)

    async def catch_up(self, room: Room) -> None:
        """Until all is delivered that the stream holds of `room`. Raises `ParleyError`: unavailable."""
        try:
            async with asyncio.timeout(_CATCH_UP_SECONDS):
                await self._relay.catch_up(room)
        except TimeoutError:
            raise ParleyError(ErrorCode.UNAVAILABLE, "the message stream does not answer", retry_after=1) from None

    async def _tell_missed(self, room: Room, connection: Connection, after: int) -> tuple[int, bool]:
        room.resuming.add(connection)
        try:
            return await self._resuming.tell_missed(room, connection, after)
        finally:
            room.resuming.discard(connection)

    def _enter(self, room: Room, connection: Connection) -> None:
        self._fan_out.entering(room, connection)
        self._rooms.enter(room, connection)


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
