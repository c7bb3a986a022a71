"""Into rooms and out of them: whoever may enter does, and whoever may not be there any more is out at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from services.gateway import metrics
from services.gateway.access import Access
from services.gateway.connection import Connection
from services.gateway.edge.metrics import limited
from services.gateway.fanout import FanOut
from services.gateway.joining import Joining
from services.gateway.member_watch import MemberWatch
from services.gateway.pushes import Removed, event
from services.gateway.recovery.sessions import Sessions
from services.gateway.replies import Done
from services.gateway.requests import Join
from services.gateway.rooms import Rooms
from services.gateway.roster import Roster
from wire.control import MembersChanged
from wire.errors import ErrorCode, ParleyError

_TRIES_MOST: Final = 3

Later = Coroutine[Any, Any, Done]
"""An answer that has to be waited for."""


class Entering:
    """Joins and leaves of connections, and removals of members."""

    def __init__(
        self,
        *,
        access: Access,
        watch: MemberWatch,
        roster: Roster,
        rooms: Rooms,
        joining: Joining,
        sessions: Sessions,
        fan_out: FanOut,
        rooms_most: int,
    ) -> None:
        """`rooms_most`: how many rooms one connection may be in; 0 for any number."""
        self._access = access
        self._watch = watch
        self._roster = roster
        self._rooms = rooms
        self._joining = joining
        self._sessions = sessions
        self._fan_out = fan_out
        self._rooms_most = rooms_most

    def join(self, connection: Connection, request: Join) -> Done | Later:
        """Let `connection` in, at once if there is nothing to wait for. Raises `ParleyError`, at once or later."""
        self._check_room_for(connection, request.room)
        if not self._access.is_open(request.room):
            return self._join_private(connection, request)
        joined = self._joining.join_at_once(connection, request) if connection.kept is None else None
        return joined if joined is not None else self._join(connection, request)

    def leave(self, connection: Connection, room: str) -> Done | Later:
        """Let `connection` out."""
        if connection.kept is not None:
            return self._leave_for_good(connection, room)
        return self._leave(connection, room)

    def on_members_changed(self, change: MembersChanged) -> set[Connection]:
        """Whoever is no member any more is out; whoever was about to enter is asked about again.

        Returns the connections that were put out, and have been told so.
        """
        self._watch.note(change)
        put_out: set[Connection] = set()
        for user in change.removed:
            for connection in self._roster.of(user):
                if change.room in connection.rooms:
                    put_out.add(connection)
                    metrics.removals.inc()
                    metrics.deliveries["removed",] += 1
                    self._leave(connection, change.room)
                    self._fan_out.send(connection, event("removed", Removed(change.room, change.reason or "removed")))
                    self._sessions.changed(connection)
        return put_out

    async def _join_private(self, connection: Connection, request: Join) -> Done:
        user = connection.bearer.user.id
        for _ in range(_TRIES_MOST):
            with self._watch.of(user, [request.room]) as visit:
                await self._access.check(user, request.room)
                if visit.is_over:
                    continue
                visit.entering = asyncio.create_task(self._join(connection, request))
                try:
                    joined = await visit.entering
                except asyncio.CancelledError:
                    if not visit.is_over:
                        raise
                else:
                    if not visit.is_over:  # otherwise they were put out again, and told so
                        return joined
        raise ParleyError(ErrorCode.UNAVAILABLE, "the room's members are changing", retry_after=1)

    def _join(self, connection: Connection, request: Join) -> Later:
        joining = self._joining.join(connection, request)
        if connection.kept is None:
            return joining
        connection.kept.places.begin(request.room, request.after)
        return self._sessions.joining(connection, joining)

    def _check_room_for(self, connection: Connection, room: str) -> None:
        if 0 < self._rooms_most <= len(connection.rooms) and room not in connection.rooms:
            limited.labels(limit="rooms").inc()
            why = f"this connection is in {self._rooms_most} rooms: leave one first"
            raise ParleyError(ErrorCode.RATE_LIMITED, why)

    async def _leave_for_good(self, connection: Connection, room: str) -> Done:
        await self._sessions.leaving(connection, room)
        return self._leave(connection, room)

    def _leave(self, connection: Connection, room: str) -> Done:
        self._fan_out.settle(connection)
        self._rooms.leave(room, connection)
        return Done()
