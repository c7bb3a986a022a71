"""What backends tell users, kept until it was read: the rules."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from services.history.notification_store import NotificationStore
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.messages import Done
from wire.notifications import NOTIFICATION_MOST_BYTES, Dismiss, GetNotifications, Kept, KeptFor, Notified, Notify

_ANSWER_MOST_BYTES: Final = 900 * 1024
"""Of an answer; NATS carries 1 MiB, and all that is kept for one user is less than this."""

_UNPREPARED: Final = "an index of notifications is missing: run `python -m services.history setup`"


class Notifying:
    """Keeps at most `most` for each user, the newest, and knows an id for `days`, whatever has become of it.

    Every method raises `ParleyError` (unavailable).
    """

    def __init__(self, store: NotificationStore, *, most: int, days: float) -> None:
        self._store = store
        self._most = most
        self._age = timedelta(days=days)
        self._is_prepared = False

    async def why_not_ready(self) -> str | None:
        """A readiness check: without its indexes MongoDB removes nothing, and looks through everything."""
        if not self._is_prepared:
            try:
                self._is_prepared = await self._store.is_prepared()
            except ParleyError as error:
                return error.message
        return None if self._is_prepared else _UNPREPARED

    async def notify(self, request: Notify) -> Notified:
        """See `Notify`. Raises `ParleyError`: too_large, too."""
        user, notification = request.user, request.notification
        size = len(codec.encode(notification))
        if size > NOTIFICATION_MOST_BYTES:
            raise ParleyError(ErrorCode.TOO_LARGE, f"as JSON it is larger than {NOTIFICATION_MOST_BYTES} bytes")
        before = await self._store.add(user, notification, size=size, age=self._age)
        if before is not None:
            return Notified(ts=before, duplicate=True)
        with suppress(ParleyError):  # it is kept; one too many goes with the next
            await self._store.trim(user, self._most)
        return Notified(ts=notification.ts, duplicate=False)

    async def kept(self, request: GetNotifications) -> Kept:
        """See `GetNotifications`."""
        sizes = await self._store.sizes(request.users)
        chosen: list[str] = []
        left: list[str] = []
        room = _ANSWER_MOST_BYTES
        for user, size in sizes.items():
            if chosen and size > room:
                left.append(user)
            else:
                chosen.append(user)
                room -= size
        found = await self._store.of(chosen) if chosen else {}
        return Kept(kept=[KeptFor(user, kept[-self._most :]) for user, kept in found.items()], left=left)

    async def dismiss(self, request: Dismiss) -> Done:
        """See `Dismiss`."""
        await self._store.dismiss(request.user, request.id)
        return Done()
