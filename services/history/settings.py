"""What the history service and its admin step can be told."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from runtime.settings import ProcessSettings, Seconds, ServiceSettings, Text
from wire.notifications import KEPT_MOST


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages are."""

    mongo_url: Text
    mongo_database: Text = "parley_history"
    mongo_password_file: str = ""
    """The password of the user in MONGO_URL, readable by its owner (and group) alone."""


class HistorySettings(ServiceSettings, frozen=True, kw_only=True):
    """All that the service can be told."""

    nats_user: ClassVar[str] = "history"

    database: DatabaseSettings
    batch_size: Annotated[int, Meta(ge=1, le=5000)] = 500
    notifications_kept_most: Annotated[int, Meta(ge=1, le=KEPT_MOST)] = KEPT_MOST
    """For each user; the oldest go first."""
    notifications_kept_days: Annotated[float, Meta(gt=0, le=36_500)] = 30.0
    """How long one is kept that nobody reads, and how long its id is known, read or not."""


class SetupSettings(ProcessSettings, frozen=True, kw_only=True):
    """All that the admin step can be told."""

    nats_user: ClassVar[str] = "admin"

    database: DatabaseSettings
    setup_seconds: Seconds = 120.0
    """How long the step waits for NATS, for MongoDB, and for as many nats-servers as it takes."""
    messages_replicas: Annotated[int, Meta(ge=1, le=5)] = 1
    """Of every stream."""
    messages_max_age_days: Annotated[float, Meta(gt=0, le=36_500)] = 7.0
    """How long the stream keeps a message, persisted or not; history keeps it for ever."""
    messages_max_bytes: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """How large the stream may grow; it refuses messages when it is full. 0: as large as the servers allow."""
    dedupe_window_seconds: Seconds = 600.0
    """For how long after a message the same id is known to be the same message."""
