"""Which tokens are no good any more, although they have not expired."""

import time
from collections.abc import Callable
from typing import Final

from wire import streams
from wire.accounts import EXTERNAL_SESSION, LEEWAY_SECONDS, Verified
from wire.control import SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError

_FORGET_EVERY: Final = 4096
"""After so many additions those are looked for that do not matter any more."""


class Revocations:
    """Of sessions, and of users; each until no token that it is about could be good."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sessions: dict[str, int] = {}
        """Until when, seconds since the epoch."""
        self._users: dict[str, int] = {}
        """Tokens issued up to when, milliseconds since the epoch."""
        self._additions = 0

    def __len__(self) -> int:
        return len(self._sessions) + len(self._users)

    def add(self, revoked: SessionRevoked | UserRevoked) -> None:
        """Idempotent."""
        if isinstance(revoked, SessionRevoked):
            self._sessions[revoked.session] = max(revoked.until, self._sessions.get(revoked.session, 0))
        else:
            self._users[revoked.user] = max(revoked.before, self._users.get(revoked.user, 0))
        self._additions += 1
        if self._additions % _FORGET_EVERY == 0:
            self._forget()

    def hit(self, bearer: Verified) -> bool:
        """Whether the token of `bearer` was revoked."""
        # Another issuer's clock may be ahead of ours, as far as its tokens are taken for good.
        ahead = LEEWAY_SECONDS * 1000 if bearer.session.startswith(EXTERNAL_SESSION) else 0
        before = self._users.get(bearer.user.id)
        return bearer.session in self._sessions or (before is not None and bearer.issued_at - ahead <= before)

    def check(self, bearer: Verified) -> None:
        """Raises `ParleyError` (unauthorized) if the token of `bearer` was revoked."""
        if self.hit(bearer):
            raise ParleyError(ErrorCode.UNAUTHORIZED, "the session has ended: sign in again")

    def _forget(self) -> None:
        now = self._clock()
        self._sessions = {session: until for session, until in self._sessions.items() if until >= now}
        oldest = (now - streams.TOKEN_SECONDS_MOST) * 1000
        self._users = {user: before for user, before in self._users.items() if before >= oldest}
