"""Telling all gateways what MongoDB has: who may not be here any more, and who is a member of a private room.

What is published is stored by the stream CONTROL, acknowledged, and only then answered, so a gateway that was cut off
reads it up. Publishing the same again changes nothing for whoever hears it.
"""

import math
import time
from typing import Final

from runtime import pub_ack
from runtime.bus import Bus
from wire import codec, headers, streams, subjects
from wire.control import Control, MembersChanged, SessionRevoked, UserRevoked

_TIMEOUT_SECONDS: Final = 3.0
_MARGIN_SECONDS: Final = 40.0
"""For the leeway with which tokens expire, and for clocks that differ."""


class Announcer:
    """Publishes. `token_seconds`: how long an access token of ours is good after its issue.

    Every method raises `ParleyError` when the stream did not say that it has the message, which it may have all the
    same: unavailable, or rate_limited while too much waits to be sent. Then whoever asked has to ask again.
    """

    def __init__(self, bus: Bus, *, token_seconds: float) -> None:
        self._bus = bus
        self._token_seconds = token_seconds

    async def session_revoked(self, session: str, user: str, *, expires_at: float = 0.0) -> None:
        """No token of `session`, which is `user`'s, is good any more; kept until the last one has expired.

        That is one that was issued just now, or one that is known to expire at `expires_at`, seconds since the epoch.
        """
        now = time.time()
        last = max(self._token_seconds, expires_at - now) + _MARGIN_SECONDS
        seconds = math.ceil(min(last, streams.CONTROL_SECONDS))
        revoked = SessionRevoked(session=session, user=user, until=math.ceil(now) + seconds)
        await self._publish(subjects.session_revoked(session), revoked, seconds)

    async def user_revoked(self, user: str, *, before: int) -> None:
        """No token of `user` that was issued up to `before`, in ms, is good any more, whoever issued it."""
        seconds = math.ceil(streams.TOKEN_SECONDS_MOST + _MARGIN_SECONDS)
        await self._publish(subjects.user_revoked(user), UserRevoked(user=user, before=before), seconds)

    async def members_changed(self, change: MembersChanged) -> None:
        """Who has become a member of a private room, or is none any more; kept as long as the stream keeps any."""
        await self._publish(subjects.members_changed(change.room), change, None)

    async def _publish(self, subject: str, message: Control, seconds: int | None) -> None:
        block = b"" if seconds is None else headers.kept_for(seconds)
        reply = await self._bus.request(subject, codec.encode(message), timeout=_TIMEOUT_SECONDS, headers=block)
        pub_ack.read(reply.data)
