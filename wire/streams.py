"""JetStream declarations: what was said, its consumer, clients' sessions, and who may not be here any more."""

from typing import Final

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from wire import subjects

MESSAGES: Final = "MESSAGES"
HISTORY_CONSUMER: Final = "history"
CONTROL: Final = "CONTROL"
TOKEN_SECONDS_MOST: Final = 86_400
"""How long after its issue an access token can be good, whoever issued it."""
CONTROL_SECONDS: Final = TOKEN_SECONDS_MOST + 3600.0
"""How long a revocation or a change of members is kept, unless its own time to live is shorter: a connection that was
made before it has ended by then."""
KEPT_SESSIONS: Final = "KV_SESSIONS"
"""The stream of the key-value bucket SESSIONS."""
KEPT_SESSION_SECONDS: Final = 240.0
"""How long a session is kept after it was put."""


def messages(
    *, replicas: int, max_age: float, max_bytes: int = 0, dedupe_window: float, first_seq: int = 1
) -> StreamConfig:
    """The stream of chat messages. `max_age` and `dedupe_window` are in seconds; 0 for `max_bytes` is no bound.

    It republishes a message only once it is stored, with its sequence: what members see is what is kept. A full
    stream refuses what is new instead of dropping what is old. `first_seq` matters only when the stream is made.
    """
    return StreamConfig(
        name=MESSAGES,
        subjects=[subjects.STORED_MESSAGES],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        num_replicas=replicas,
        max_age=max_age,
        max_bytes=max_bytes or None,
        duplicate_window=dedupe_window,
        first_seq=first_seq,
        republish=RePublish(src=subjects.STORED_MESSAGES, dest=subjects.REPUBLISHED_MESSAGES),
    )


def kept_sessions(*, replicas: int) -> StreamConfig:
    """The bucket of clients' sessions: the last record of each, for `KEPT_SESSION_SECONDS`.

    As `nats kv` and all client libraries declare and read one
    (https://docs.nats.io/nats-concepts/jetstream/key-value-store).
    """
    return StreamConfig(
        name=KEPT_SESSIONS,
        subjects=[subjects.KEPT_SESSIONS],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        num_replicas=replicas,
        max_age=KEPT_SESSION_SECONDS,
        max_msgs_per_subject=1,
        allow_rollup_hdrs=True,
        deny_delete=True,
    )


def control(*, replicas: int) -> StreamConfig:
    """The stream of revocations and changes of members; a message may have a shorter life than it gives."""
    return StreamConfig(
        name=CONTROL,
        subjects=[subjects.CONTROL],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        num_replicas=replicas,
        max_age=CONTROL_SECONDS,
        allow_msg_ttl=True,
        republish=RePublish(src=subjects.CONTROL, dest=subjects.REPUBLISHED_CONTROL),
    )


def history_consumer() -> ConsumerConfig:
    """The one durable pull consumer that all history instances share."""
    return ConsumerConfig(
        durable_name=HISTORY_CONSUMER,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=30,
        max_ack_pending=20_000,
    )
