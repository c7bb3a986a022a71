"""Sessions: opened, gone on with, and ended, everywhere.

What ends is first marked in MongoDB and then announced to all gateways. Whoever is told `unavailable` in between asks
again: ending what has ended announces it again.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from services.auth import metrics
from services.auth.announcing import Announcer
from services.auth.directory import Directory
from services.auth.refresh_tokens import RefreshToken
from services.auth.session_store import SessionStore, StoredSession
from services.auth.tokens import Tokens
from wire.accounts import EXTERNAL_SESSION, Disconnect, Logout, Refresh, Session
from wire.errors import ErrorCode, ParleyError
from wire.messages import Done, User
from wire.streams import TOKEN_SECONDS_MOST

_TICK_SECONDS: Final = 0.001

log = structlog.get_logger()


class Sessions:
    """`refresh_seconds`: how long a session lasts that nobody goes on with.

    Every method raises `ParleyError` (unavailable) when MongoDB or the stream CONTROL does not answer.
    """

    def __init__(
        self,
        store: SessionStore,
        directory: Directory,
        tokens: Tokens,
        announcer: Announcer,
        *,
        refresh_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._directory = directory
        self._tokens = tokens
        self._announcer = announcer
        self._refresh_seconds = refresh_seconds
        self._clock = clock

    async def open(self, user: User) -> Session:
        """A new session of `user`."""
        # Before anybody can hear of the session: who has one can be invited.
        await self._directory.saw(user)
        session = f"s-{secrets.token_hex(12)}"
        token = RefreshToken.first()
        now = self._clock()
        await self._store.add(
            session,
            user,
            family=token.family,
            current=token.digest,
            now=now,
            expires_at=now + self._refresh_seconds,
        )
        metrics.sessions_opened.inc()
        _count_tokens()
        return self._answer(user, session, token)

    async def refresh(self, request: Refresh) -> Session:
        """Go on with a session. Raises `ParleyError`: unauthorized, without saying why.

        Of many who come with the same token, also at once, one goes on: the others make it certain that two have the
        token, one of whom must have stolen it, and so the session ends.
        """
        token = RefreshToken(request.refresh_token)
        now = self._clock()
        found = await self._store.find(token.family, now=now) if token.is_plausible else None
        if found is None:
            raise _unauthorized()
        following = token.following()
        # Issued before the session is looked at for the last time: a token that is issued after all those of the user
        # have been revoked is good.
        answer = self._answer(found.user, found.id, following)
        if (
            found.is_revoked
            or found.current != token.digest
            or not await self._store.rotate(
                found.id,
                current=token.digest,
                following=following.digest,
                expires_at=now + self._refresh_seconds,
            )
        ):
            await self._end_family(found)
            raise _unauthorized()
        metrics.sessions_refreshed.inc()
        _count_tokens()
        return answer

    async def logout(self, request: Logout) -> Done:
        """End a session, also one that MongoDB does not know. Idempotent."""
        with metrics.revoking():
            if await self._store.revoke(request.session, request.user, now=self._clock()):
                metrics.sessions_revoked.labels(reason="logout").inc()
            expires_at: float = request.expires_at
            if request.session.startswith(EXTERNAL_SESSION):
                # Its issuer may have signed other tokens of it, which are good for longer than this one.
                expires_at = self._clock() + TOKEN_SECONDS_MOST
            await self._announcer.session_revoked(request.session, request.user, expires_at=expires_at)
        return Done()

    async def disconnect(self, request: Disconnect) -> Done:
        """End all sessions of a user, whoever issued their tokens. Idempotent."""
        await self.end_all(request.user, reason="disconnect")
        return Done()

    async def end_all(self, user: str, *, reason: str) -> None:
        """End all sessions of `user`: a session that is opened from then on is good. Idempotent."""
        with metrics.revoking():
            ended = await self._store.revoke_all(user, now=self._clock())
            metrics.sessions_revoked.labels(reason=reason).inc(ended)
            before = self._milliseconds()
            await self._announcer.user_revoked(user, before=before)
        while self._milliseconds() <= before:  # noqa: ASYNC110 - nothing but the clock tells the time
            await asyncio.sleep(_TICK_SECONDS)

    async def _end_family(self, found: StoredSession) -> None:
        # Announced once: whoever has an old token could make all gateways work for nothing.
        if found.is_announced:
            return
        with metrics.revoking():
            if await self._store.revoke(found.id, found.user.id, now=self._clock()):
                metrics.sessions_revoked.labels(reason="reuse").inc()
                log.warning("a refresh token was used again: the session ends", session=found.id, user=found.user.id)
            await self._announcer.session_revoked(found.id, found.user.id)
        await self._store.announced(found.id)

    def _answer(self, user: User, session: str, token: RefreshToken) -> Session:
        return Session(
            user=user,
            access_token=self._tokens.issue(user, session=session),
            expires_in=self._tokens.lifetime,
            refresh_token=token.text,
        )

    def _milliseconds(self) -> int:
        return int(self._clock() * 1000)


def _count_tokens() -> None:
    for kind in ("access", "refresh"):
        metrics.tokens_issued.labels(kind=kind).inc()


def _unauthorized() -> ParleyError:
    return ParleyError(ErrorCode.UNAUTHORIZED, "the refresh token is not valid")
