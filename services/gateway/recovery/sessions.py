"""The sessions that clients can get back, in a key-value bucket: what of them is put there, and when.

Only those of clients that asked for it, and only those that are in a room. Each put replaces the revision that this
gateway knows; a session that somebody else has put is theirs, and the connection that had it is closed.
"""

import asyncio
import random
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, TypeVar

import structlog

from runtime.key_value import WrongRevisionError
from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.edge.session import Reason
from services.gateway.edge.wheel import Wheel
from services.gateway.recovery.kept_session import Kept
from services.gateway.recovery.places import Places
from services.gateway.recovery.session_bucket import Found, SessionBucket
from wire.errors import ErrorCode, ParleyError

T = TypeVar("T")

_REFRESH_SECONDS: Final = 60.0
"""With `streams.KEPT_SESSION_SECONDS` a client can come back after a crash for three minutes at least."""
_AGAIN_SECONDS: Final = 10.0
_RESTORE_SECONDS: Final = 1.0
_TAKES_MOST: Final = 3
"""How often a session is looked at again whose gateway only keeps it from growing old."""

log = structlog.get_logger()


class TakenError(Exception):
    """The session is another connection's."""


class Sessions:
    """Keeps them in `bucket` while their connections last, and for some minutes after."""

    def __init__(self, bucket: SessionBucket) -> None:
        self._bucket = bucket
        self._wheel: Wheel[Connection] = Wheel(self._on_age, tick=1.0)
        self._tasks: set[asyncio.Task[None]] = set()

    async def joining(self, connection: Connection, joining: Awaitable[T]) -> T:
        """What `joining` returns, once the room is in the bucket.

        Raises what `joining` raises, and `ParleyError`: unavailable or rate_limited if the bucket is; not_joined if
        the connection has ended.
        """
        joined = await joining
        if connection.kept is not None:
            await self._keep(connection, connection.kept)
        return joined

    async def leaving(self, connection: Connection, room: str) -> None:
        """Return once `room` is not in the bucket any more: then `connection` may leave. Raises as `joining`.

        After that `connection` is in the room still, and will be when it is recovered: a put whose answer did not
        come may have said otherwise, so it is put again as soon as the bucket answers.
        """
        kept = connection.kept
        if kept is None:
            return
        try:
            with kept.leaving(room):
                await self._keep(connection, kept)
        except ParleyError:
            self._put_again(connection, kept)
            raise

    def changed(self, connection: Connection) -> None:
        """A room that `connection` was in is not its own any more: let the bucket know as soon as it answers."""
        kept = connection.kept
        if kept is not None:
            self._put_again(connection, kept)

    async def find(self, pid: str) -> Found:
        """What is there of the session `pid`. Raises `ParleyError` (unavailable)."""
        return await self._bucket.find(pid)

    async def take(self, connection: Connection, pid: str, places: Places, found: Found) -> Kept:
        """The session is this connection's from now on, unless it is not as it was `found`.

        Raises `TakenError`, and `ParleyError` as `joining`.
        """
        user = connection.bearer.user.id
        kept = Kept(connection.id, user, pid=pid, places=places, revision=found.revision)
        for _ in range(_TAKES_MOST):
            try:
                await self._bucket.put(kept)
            except WrongRevisionError:
                again = await self._bucket.find(pid)
                if again.session != found.session:
                    break
                kept.revision = again.revision  # whoever had it has only put it again for its age
            else:
                return kept
        raise TakenError

    def begin(self, connection: Connection) -> None:
        """The connection is in: keep its session from growing old."""
        # Many that connect at once need not be put at once for ever.
        self._wheel.add(connection, random.uniform(_REFRESH_SECONDS / 3, _REFRESH_SECONDS))  # noqa: S311

    def end(self, connection: Connection) -> None:
        """The connection has ended."""
        kept = connection.kept
        if kept is not None and not kept.over:
            kept.over = True
            if connection.has_left:
                self.forget(kept)

    def forget(self, kept: Kept) -> None:
        """Nobody can get the session back, soon; if the bucket does not answer, when it is too old."""
        kept.over = True
        self._spawn(self._delete(kept))

    async def _keep(self, connection: Connection, kept: Kept) -> None:
        changes = kept.changes
        async with kept.lock:
            if kept.given_up or kept.stored >= changes:
                return  # with the one that was put while this one waited
            await self._put_mine(connection, kept)

    async def _put_mine(self, connection: Connection, kept: Kept) -> None:
        while True:
            if kept.over:
                raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")
            try:
                await self._bucket.put(kept)
            except WrongRevisionError:
                await self._look(connection, kept)
            else:
                return

    async def _look(self, connection: Connection, kept: Kept) -> None:
        """Whose is it? Of ours there may be a put whose answer did not come; or it was not put for too long."""
        found = await self._bucket.find(kept.pid)
        if found.session is None or found.session.holder == kept.holder:
            kept.revision = found.revision
        else:
            log.info("the client has come back elsewhere", connection=connection.id)
            connection.session.close(Reason.SERVER, last=frames.NOOP)
            raise ParleyError(ErrorCode.NOT_JOINED, "the connection is closed")

    def _put_again(self, connection: Connection, kept: Kept) -> None:
        kept.changes += 1
        if not kept.restoring:
            kept.restoring = True
            self._spawn(self._restore(connection, kept))

    async def _restore(self, connection: Connection, kept: Kept) -> None:
        while not kept.over and kept.stored < kept.changes:
            try:
                await self._keep(connection, kept)
            except ParleyError:
                await asyncio.sleep(_RESTORE_SECONDS)
        kept.restoring = False

    async def _delete(self, kept: Kept) -> None:
        async with kept.lock:
            if kept.revision and not kept.given_up:
                try:
                    await self._bucket.delete(kept)
                except (ParleyError, WrongRevisionError) as error:
                    log.debug("a session is left to its age", error=repr(error))

    def _on_age(self, connection: Connection) -> None:
        kept = connection.kept
        if kept is not None and not kept.over and not kept.given_up:
            self._spawn(self._refresh(connection, kept))

    async def _refresh(self, connection: Connection, kept: Kept) -> None:
        delay = _REFRESH_SECONDS
        try:
            if kept.changes:  # otherwise it was never in a room
                kept.changes += 1
                await self._keep(connection, kept)
        except ParleyError as error:
            if error.code is not ErrorCode.NOT_JOINED:  # it ended meanwhile, or was taken up elsewhere
                log.warning("a session could not be put", code=error.code, error=error.message)
            delay = _AGAIN_SECONDS
        if not kept.over:
            self._wheel.add(connection, delay)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
