"""Joining a room: listen first, tell what was missed, then go live. Never twice, never with a hole."""

from typing import Final

from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway.connection import Connection
from services.gateway.edge import Edge, Frame
from services.gateway.protocol import Join, Joined
from services.gateway.rooms import Room, Rooms
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page

MISSED_MOST: Final = 500


class Joining:
    """Lets connections into rooms."""

    def __init__(self, edge: Edge, rooms: Rooms, history: Caller[Page]) -> None:
        self._edge = edge
        self._rooms = rooms
        self._history = history

    async def join(self, connection: Connection, request: Join) -> Joined:
        """Let `connection` in. Raises `ParleyError`: invalid while another join of it is under way, unavailable."""
        room = await self._rooms.hold(request.room)
        try:
            self._check_open(connection)
            if connection in room.resuming:
                raise ParleyError(ErrorCode.INVALID, "a join of this room is under way")
            missed, truncated = 0, False
            if connection not in room.members:
                if request.after is not None and request.after < room.last_seq:
                    missed, truncated = await self._tell_missed(room, connection, request.after)
                self._rooms.enter(room, connection)
            return Joined(room=room.name, seq=room.last_seq, missed=missed, truncated=truncated)
        finally:
            self._rooms.release(room)

    async def _tell_missed(self, room: Room, connection: Connection, after: int) -> tuple[int, bool]:
        came_meanwhile: list[Frame] = []
        room.resuming[connection] = came_meanwhile
        try:
            page = await self._history(
                GetPage(room=room.name, after=after, before=room.last_seq + 1, limit=MISSED_MOST)
            )
        finally:
            del room.resuming[connection]
        self._check_open(connection)
        frames = [self._edge.frame("message", each) for each in page.messages]
        for frame in frames + came_meanwhile:
            self._edge.send(connection, frame)
        return len(frames) + len(came_meanwhile), page.more

    @staticmethod
    def _check_open(connection: Connection) -> None:
        if not connection.is_open:
            raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")


class Baselines:
    """The last seq of a room when a gateway begins to listen to it."""

    def __init__(self, stream: MessageStream, history: Caller[Page]) -> None:
        self._stream = stream
        self._history = history

    async def of(self, room: str) -> int:
        """Raises `ParleyError` (unavailable). Asks history only about a room that the stream holds nothing of."""
        last = await self._stream.last_seq(room)
        if last:
            return last
        page = await self._history(GetPage(room=room, limit=1))
        return page.messages[-1].seq if page.messages else 0
