"""How long a connection lives: as long as its token, or the one that it has brought since, unless it is revoked."""

import math
import time
from collections.abc import Callable
from typing import Final

from services.gateway import metrics
from services.gateway.auth import Auth
from services.gateway.connection import Connection
from services.gateway.edge.wheel import Wheel
from services.gateway.fanout import FanOut
from services.gateway.pushes import Expiring, event
from services.gateway.roster import Roster
from wire.control import SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError

_AHEAD_SECONDS: Final = 60.0
"""How long before its end a connection is told, or a quarter of its life if that is shorter."""
_LOOK_SECONDS: Final = 20.0
"""How long it may take until the clock on the wall is looked at again, which may have been set, or have gone on while
the machine slept; and until a connection that has ended is let go of."""


class Lifetimes:
    """Of the connections that are in.

    One whose token expires is sent away: its client comes back by itself, and may have another token by then. One
    whose token is revoked is dismissed by `dismiss`, in the way that keeps official clients from coming back.
    """

    def __init__(self, auth: Auth, roster: Roster, fan_out: FanOut, dismiss: Callable[[Connection], None]) -> None:
        self._auth = auth
        self._roster = roster
        self._fan_out = fan_out
        self._dismiss = dismiss
        self._wheel: Wheel[Connection] = Wheel(self._on_alarm, tick=0.5, skips_stops=False)

    def begin(self, connection: Connection) -> None:
        """`connection` is in."""
        self._roster.add(connection)
        self._wait(connection)

    def end(self, connection: Connection) -> None:
        """`connection` is gone."""
        self._roster.remove(connection)

    async def lengthen(self, connection: Connection, token: str) -> int:
        """Let `connection` live as long as `token`; returns for how many seconds from now.

        Raises `ParleyError`: as `Auth.bearer`, and forbidden for a token of another user.
        """
        bearer = await self._auth.bearer(token)
        connection.check_open()
        if bearer.user.id != connection.bearer.user.id:
            raise ParleyError(ErrorCode.FORBIDDEN, "the token is another user's")
        connection.bearer = bearer
        self._wait(connection)
        return connection.expires_in

    def on_revoked(self, revoked: SessionRevoked | UserRevoked) -> None:
        """Dismiss those whose tokens are no good any more."""
        self._auth.revocations.add(revoked)
        for connection in self._roster.of(revoked.user):
            if self._auth.revocations.hit(connection.bearer):
                metrics.ended["revoked",] += 1
                connection.why = "revoked"
                self._dismiss(connection)

    def _wait(self, connection: Connection) -> None:
        left = connection.bearer.expires_at - time.time()
        connection.warn_at = connection.bearer.expires_at - min(_AHEAD_SECONDS, left / 4)
        self._add(connection, connection.warn_at)

    def _add(self, connection: Connection, at: float) -> None:
        connection.alarms += 1
        self._wheel.add(connection, min(max(0.0, at - time.time()), _LOOK_SECONDS))

    def _on_alarm(self, connection: Connection) -> None:
        connection.alarms -= 1
        if not connection.is_open:
            return
        now = time.time()
        if now >= connection.bearer.expires_at:
            metrics.ended["expired",] += 1
            connection.why = "expired"
            connection.session.send_away()
        elif now >= connection.warn_at:
            connection.warn_at = math.inf
            self._fan_out.send(connection, event("expiring", Expiring(connection.expires_in)))
            self._add(connection, connection.bearer.expires_at)
        elif not connection.alarms:
            # It is not time yet. (Otherwise it was of a token that another has replaced.)
            self._add(connection, min(connection.warn_at, connection.bearer.expires_at))
