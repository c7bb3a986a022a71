"""NATS subjects. Every subject that Parley publishes or subscribes to is spelled here and nowhere else.

chat.room.<room>.message                        stored by the stream MESSAGES
live.room.<room>.{message,typing,event}         what a gateway with members of the room hears
auth.*  history.*                               request/reply, answered by NATS micro services
$JS.API.*                                       request/reply, answered by nats-server
$KV.SESSIONS.<pid>                              stored by the bucket SESSIONS
"""

from typing import Final

STORED_MESSAGES: Final = "chat.room.*.message"
"""What the stream captures."""

REPUBLISHED_MESSAGES: Final = "live.room.{{wildcard(1)}}.message"
"""Where the stream republishes a message once it is stored (a NATS subject mapping of `STORED_MESSAGES`)."""

TYPING: Final = "typing"
EVENT: Final = "event"

AUTH_VERIFY: Final = "auth.verify"
AUTH_GUEST: Final = "auth.guest"
AUTH_REGISTER: Final = "auth.register"
AUTH_LOGIN: Final = "auth.login"
AUTH_KEYS: Final = "auth.keys"

HISTORY_PAGE: Final = "history.page"

KEPT_SESSIONS: Final = "$KV.SESSIONS.>"
"""What the bucket of clients' sessions captures."""


def stored_message(room: str) -> str:
    """Where a chat message for `room` is published to be stored."""
    return f"chat.room.{room}.message"


def room_of_stored(subject: str) -> str:
    """The room of a subject made by `stored_message`."""
    return subject.split(".")[2]


def live(room: str, kind: str) -> str:
    """Where `kind` (`TYPING`, `EVENT`) of `room` is published to its present members."""
    return f"live.room.{room}.{kind}"


def live_interest(room: str) -> str:
    """What a gateway with members of `room` subscribes to: everything live in that room, and no other room."""
    return f"live.room.{room}.*"


def stream_get(stream: str) -> str:
    """Where the leader of `stream` is asked for a message: JetStream's own API."""
    return f"$JS.API.STREAM.MSG.GET.{stream}"


def kept_session(pid: str) -> str:
    """Where the session with the secret `pid` is put; `pid` is an id (see `wire.ids`)."""
    return f"$KV.SESSIONS.{pid}"
