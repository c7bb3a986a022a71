"""Connection state recovery: whose connection broke gets rooms and missed messages back, at any gateway.

The client opts in with ``auth: {token, recover: true}`` and gets a `pid` in the answer to its CONNECT; when it comes
back, its library sends the pid, and the offset of the last message that it has. See `places.py` for what that says.
"""

import asyncio
import re
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

import msgspec
import structlog

from services.gateway import metrics
from services.gateway.access import Access
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.joining import Joining
from services.gateway.member_watch import MemberWatch
from services.gateway.missed import Missed
from services.gateway.recovery.kept_session import Kept, with_offset
from services.gateway.recovery.missed_in_all import MissedInAll, TooMuchError
from services.gateway.recovery.places import OffsetError, Places
from services.gateway.recovery.session_bucket import Found
from services.gateway.recovery.sessions import Sessions, TakenError
from services.gateway.rooms import Rooms
from wire.errors import ErrorCode, ParleyError
from wire.ids import ID_PATTERN

_SECONDS: Final = 15.0
"""For all of it, the wait for a turn too; then the client has to join by itself."""
_TURN_SECONDS: Final = 3.0
"""For the wait for a turn: many clients that join by themselves are better than many that hear nothing."""
_AT_ONCE: Final = 16
"""Recoveries of this gateway that hold messages; the others wait in their order, and for no client."""

_PID: Final = re.compile(ID_PATTERN)

log = structlog.get_logger()


class _Asked(msgspec.Struct):
    recover: bool = False
    pid: str = ""
    offset: str = ""


class _NotRecoveredError(Exception):
    """With the outcome that is counted."""


class Recovery:
    """Begins with a CONNECT packet, and ends in the turn of the loop in which it is answered."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        rooms: Rooms,
        access: Access,
        watch: MemberWatch,
        joining: Joining,
        missed: Missed,
        fan_out: FanOut,
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._access = access
        self._watch = watch
        self._joining = joining
        self._missed = missed
        self._fan_out = fan_out
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._begun: dict[Connection, tuple[MissedInAll, ExitStack]] = {}

    async def begin(self, connection: Connection, auth: object) -> None:
        """Take the session over that a client asks for with the CONNECT packet's `auth`, and read what it missed.

        Whatever does not work out, it has a new session then; if it did not opt in, it has none. If the connection is
        still open then, `complete` has to follow in the same turn of the loop.
        """
        asked = _asked(auth)
        if not asked.recover:
            return
        if asked.pid:
            try:
                async with asyncio.timeout(_SECONDS):
                    await self._recover(connection, asked)
            except _NotRecoveredError as error:
                _count(connection, str(error))
            except (ParleyError, TimeoutError):
                _count(connection, "unavailable")
            else:
                return
        connection.kept = _new(connection)

    def abandon(self, connection: Connection) -> None:
        """`connection` is refused after all: instead of `complete`."""
        missed, stack = self._begun.pop(connection, (None, None))
        if missed is not None and stack is not None and connection.kept is not None:
            stack.close()
            self._sessions.forget(connection.kept)

    def complete(self, connection: Connection) -> list[bytes]:
        """Let `connection` into its rooms: the packets that it missed, with which it is where the rooms are."""
        packets: list[bytes] = []
        missed, stack = self._begun.pop(connection, (None, None))
        kept = connection.kept
        if missed is not None and stack is not None and kept is not None:
            with stack:
                try:
                    told = missed.until_now()
                except TooMuchError:
                    _count(connection, "too_much")
                    self._sessions.forget(kept)
                    connection.kept = _new(connection)
                else:
                    _count(connection, "recovered")
                    for room in missed.rooms:
                        self._fan_out.entering(room, connection)
                        self._rooms.enter(room, connection)
                    packets = [with_offset(packet, kept.offset(room.name, seq)) for seq, room, packet in told]
        if connection.kept is not None:
            self._sessions.begin(connection)
        return packets

    async def _recover(self, connection: Connection, asked: _Asked) -> None:
        found, places = await self._find(connection, asked)
        user = connection.bearer.user.id
        with self._watch.of(user, places.rooms) as visit, ExitStack() as stack:
            await self._check_member(user, places.rooms)
            try:
                async with asyncio.timeout(_TURN_SECONDS):
                    await self._slots.acquire()
            except TimeoutError:
                raise _NotRecoveredError("busy") from None
            stack.callback(self._slots.release)
            missed = MissedInAll(self._missed, connection)
            stack.callback(missed.close)
            for name, place in places.rooms.items():
                room = await self._rooms.hold(name)
                stack.callback(self._rooms.release, room)
                if place.since > room.last_seq:
                    await self._joining.catch_up(room)
                if place.since > room.last_seq:
                    raise _NotRecoveredError("malformed")  # nobody has told it of that
                missed.add(room, place.since)
            try:
                await missed.read()
                connection.kept = await self._sessions.take(connection, asked.pid, places, found)
            except TooMuchError:
                raise _NotRecoveredError("too_much") from None
            except TakenError:
                raise _NotRecoveredError("taken") from None
            if visit.is_over:
                self._sessions.forget(connection.kept)
                raise _NotRecoveredError("forbidden")
            if connection.is_open:
                self._begun[connection] = missed, stack.pop_all()

    async def _find(self, connection: Connection, asked: _Asked) -> tuple[Found, Places]:
        if not _PID.fullmatch(asked.pid):
            raise _NotRecoveredError("malformed")  # a wildcard would find somebody else's
        found = await self._sessions.find(asked.pid)
        session = found.session
        if session is None:
            raise _NotRecoveredError("unknown")
        if session.user != connection.bearer.user.id:
            raise _NotRecoveredError("other_user")
        try:
            return found, Places(session.rooms).proven(asked.offset)
        except OffsetError:
            raise _NotRecoveredError("malformed") from None

    async def _check_member(self, user: str, rooms: Iterable[str]) -> None:
        try:
            await self._access.check(user, *rooms)
        except ParleyError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
            raise _NotRecoveredError("forbidden") from None


def _count(connection: Connection, outcome: str) -> None:
    metrics.recoveries[outcome,] += 1
    log.debug("recovery", connection=connection.id, outcome=outcome)


def _asked(auth: object) -> _Asked:
    try:
        return msgspec.convert(auth, _Asked)
    except msgspec.ValidationError:
        return _Asked()


def _new(connection: Connection) -> Kept:
    return Kept(connection.id, connection.bearer.user.id)
