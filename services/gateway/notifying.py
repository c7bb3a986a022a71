"""What a backend tells a user: kept by history, told to their devices, and dismissed by one of them."""

from typing import Final

from runtime.bus import Bus
from runtime.rpc import Caller
from services.gateway import metrics
from services.gateway.checks import check_body, check_data, check_title
from services.gateway.connection import Connection
from services.gateway.replies import Done
from wire import codec, messages, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import Message
from wire.notifications import (
    BODY_MOST_BYTES,
    DATA_MOST_BYTES,
    TITLE_MOST,
    Dismiss,
    Dismissed,
    GetNotifications,
    Kept,
    Notification,
    Notified,
    Notify,
)

_SECONDS: Final = 5.0
_AT_ONCE: Final = 64
"""As many as history answers at once; those above it are told to come back, and do not wait."""


class Notifying:
    """Every method raises `ParleyError`; unavailable: it may have been done, ask again with the same id."""

    def __init__(self, bus: Bus, kept: Caller[Kept]) -> None:
        self._bus = bus
        self._kept = kept
        self._keep = Caller(bus, subjects.HISTORY_NOTIFY, Notified, timeout=_SECONDS)
        self._dismiss = Caller(bus, subjects.HISTORY_DISMISS, messages.Done, timeout=_SECONDS)
        self._under_way = 0

    async def notify(self, user: str, notification: Notification) -> Notified:
        """Keep it, and tell all devices of `user`. Raises invalid, too_large and rate_limited, too."""
        result = "gone"
        try:
            notified = await self._notify(user, notification)
            result = "duplicate" if notified.duplicate else "ok"
        except ParleyError as error:
            result = error.code
            raise
        finally:
            metrics.notified[result,] += 1
        return notified

    async def dismiss(self, connection: Connection, id: str) -> Done:
        """The user of `connection` has read the notification `id`: it is not kept any more, and the others hear."""
        user = connection.bearer.user.id
        await self._dismiss(Dismiss(user=user, id=id))
        self._tell(user, Dismissed(id=id, origin=connection.id))
        return Done()

    async def _notify(self, user: str, notification: Notification) -> Notified:
        _check(notification)
        if self._under_way >= _AT_ONCE:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many notifications wait to be stored", retry_after=1)
        self._under_way += 1
        try:
            notified = await self._keep(Notify(user=user, notification=notification))
            if not notified.duplicate:
                self._tell(user, notification)
            elif (first := await self._find(user, notification.id)) is not None:
                # Whoever kept it may have died before it told.
                self._tell(user, first)
        finally:
            self._under_way -= 1
        return notified

    async def _find(self, user: str, id: str) -> Notification | None:
        """The notification, unless it has been read."""
        answer = await self._kept(GetNotifications(users=[user]))
        return next((each for one in answer.kept for each in one.notifications if each.id == id), None)

    def _tell(self, user: str, message: Message) -> None:
        self._bus.publish(subjects.live_user(user, subjects.NOTIFICATION), codec.encode(message))


def _check(notification: Notification) -> None:
    check_title(notification.title, most=TITLE_MOST)
    if notification.body is not None:
        check_body(notification.body, most=BODY_MOST_BYTES)
    check_data(notification.data, most=DATA_MOST_BYTES)
