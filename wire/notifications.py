"""What backends tell a user, on whichever devices: kept by the history service until one says that it was read."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from wire.ids import Id
from wire.messages import JSON_ABSENT, Message, Millis

USERS_AT_ONCE: Final = 64
"""Whose notifications may be asked for in one request."""
TITLE_MOST: Final = 256
"""Characters."""
BODY_MOST_BYTES: Final = 2048
DATA_MOST_BYTES: Final = 2048
"""As much as the push services of phones carry."""
NOTIFICATION_MOST_BYTES: Final = 8 * 1024
"""As JSON, in which some characters take several bytes: all that is kept for a user
fits into a NATS message."""
KEPT_MOST: Final = 100
"""For a user."""


class Notification(Message, frozen=True, tag="notification"):
    """Live, to all devices of a user; and as it is kept."""

    id: Id
    """Chosen by the backend; the same id again for the same user is the same notification."""
    title: str
    ts: Millis
    body: str | None = None
    data: Raw = JSON_ABSENT
    """Any JSON, opaque to Parley."""


class Notify(Message, frozen=True, tag="history.notify"):
    """Keep a notification for `user`. Answered by `Notified` or `Refused`."""

    user: Id
    notification: Notification


class Notified(Message, frozen=True, tag="history.notified"):
    """It is kept. `duplicate`: it was before, or has been read since, and `ts` is that one's."""

    ts: Millis
    duplicate: bool


class GetNotifications(Message, frozen=True, tag="history.get_notifications"):
    """What is kept for each of `users`? Answered by `Kept` or `Refused`."""

    users: Annotated[list[Id], Meta(min_length=1, max_length=USERS_AT_ONCE)]


class KeptFor(msgspec.Struct, frozen=True):
    """What is kept for one user, oldest first."""

    user: Id
    notifications: list[Notification]


class Kept(Message, frozen=True, tag="history.kept"):
    """Those of the users for whom something is kept. `left`: whoever did not fit in, to be asked about again."""

    kept: list[KeptFor]
    left: list[Id]


class Dismiss(Message, frozen=True, tag="history.dismiss"):
    """`user` has read the notification `id`. Answered by `Done` or `Refused`; one that is not there is fine."""

    user: Id
    id: Id


class Dismissed(Message, frozen=True, tag="dismissed"):
    """Live, to all devices of a user: the notification `id` has been read on one of them."""

    id: Id
    origin: str
    """The socket it came from, which does not hear it."""
