"""What is JetStream's, or a process's own."""

from typing import Final

from apidocs.described import Subject
from apidocs.words.senders import AUTH, GATEWAY, HISTORY, NATS
from wire import kept_sessions, subjects

OF_JETSTREAM: Final = (
    Subject(
        address=subjects.kept_session("{pid}"),
        names=("kept_session", "KEPT_SESSIONS"),
        kinds=(kept_sessions.KeptSession,),
        summary="A client's session is kept, or deleted (an empty message)",
        text="Captured by the key-value bucket SESSIONS, and answered by JetStream. `pid` is a secret.",
        sender=GATEWAY,
        hearers=NATS,
        is_answered=True,
    ),
    Subject(
        address=subjects.stream_get("{stream}"),
        names=("stream_get",),
        summary="A message that a stream holds",
        text="JetStream's own API: always answered by the stream's leader.",
        sender=f"{GATEWAY}, {HISTORY}",
        hearers=NATS,
        is_answered=True,
    ),
    Subject(
        address=subjects.stream_info("{stream}"),
        names=("stream_info",),
        summary="The state of a stream",
        text="JetStream's own API.",
        sender=f"{GATEWAY}, {HISTORY}",
        hearers=NATS,
        is_answered=True,
    ),
    Subject(
        address="$JS.API.CONSUMER.{what}.MESSAGES.history",
        names=(),
        summary="The state of history's consumer",
        text="JetStream's own API, spelled by nats-py.",
        sender=HISTORY,
        hearers=NATS,
        is_answered=True,
    ),
    Subject(
        address="$JS.API.CONSUMER.MSG.NEXT.MESSAGES.history",
        names=(),
        summary="History fetches what is to be persisted",
        text="JetStream's own API, spelled by nats-py. The messages come as answers, as they were stored.",
        sender=HISTORY,
        hearers=NATS,
        is_answered=True,
    ),
    Subject(
        address="$JS.ACK.MESSAGES.history.{place}",
        names=(),
        summary="A message was persisted",
        text="JetStream's own; spelled by nats-server. Several tokens say which message.",
        sender=HISTORY,
        hearers=NATS,
    ),
    Subject(
        address="$JS.EVENT.ADVISORY.{what}",
        names=(),
        summary="JetStream tells what was done to it",
        text="Its own audit; several tokens say of what. Nobody of Parley's listens.",
        sender=NATS,
        hearers="nobody",
    ),
)
SELF: Final = Subject(
    address=subjects.reply(subjects.inbox("{who}"), "", "{connection}"),
    names=("inbox", "is_inbox", "reply"),
    summary="A process asks itself, to find out whether NATS works",
    text="Replies go to `_INBOX.<who asked>.<first token of what was asked>.`, and no user hears another's.",
    sender=f"{GATEWAY}, {AUTH}, {HISTORY}",
    hearers="itself",
)
