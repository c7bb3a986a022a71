"""NATS subjects. Every subject that Parley publishes or subscribes to is spelled here and nowhere else.

chat.room.<room>.message                        stored by the stream MESSAGES
live.room.<room>.{message,typing,event,presence}  what a gateway with members of the room hears
live.user.<user>.{notification,read}            what a gateway with devices of the user hears
live.gateway.<gateway>.presence                 what every gateway with members of any room hears
auth.*  rooms.*  history.*                      request/reply, answered by NATS micro services
control.{session,user,room}.<id>                stored by the stream CONTROL
live.control.{session,user,room}.<id>           what every gateway hears
$JS.API.*                                       request/reply, answered by nats-server
$KV.SESSIONS.<pid>                              stored by the bucket SESSIONS
_INBOX.<user>.<asked>.*                         replies; the users are gateway, auth, history and admin
"""

from typing import Final

STORED_MESSAGES: Final = "chat.room.*.message"
"""What the stream captures."""

REPUBLISHED_MESSAGES: Final = "live.room.{{wildcard(1)}}.message"
"""Where the stream republishes a message once it is stored (a NATS subject mapping of `STORED_MESSAGES`)."""

TYPING: Final = "typing"
EVENT: Final = "event"
PRESENCE: Final = "presence"
NOTIFICATION: Final = "notification"
READ: Final = "read"

GATEWAYS: Final = "live.gateway.*.presence"
"""Where gateways hear that the others live."""

AUTH_VERIFY: Final = "auth.verify"
AUTH_GUEST: Final = "auth.guest"
AUTH_REGISTER: Final = "auth.register"
AUTH_LOGIN: Final = "auth.login"
AUTH_REFRESH: Final = "auth.refresh"
AUTH_LOGOUT: Final = "auth.logout"
AUTH_PASSWORD: Final = "auth.password"  # noqa: S105 - a subject
AUTH_DISCONNECT: Final = "auth.disconnect"
AUTH_VERIFY_SERVICE: Final = "auth.verify_service"
AUTH_KEYS: Final = "auth.keys"

ROOMS_CHECK: Final = "rooms.check"
ROOMS_CREATE: Final = "rooms.create"
ROOMS_DIRECT: Final = "rooms.direct"
ROOMS_ADD: Final = "rooms.add"
ROOMS_REMOVE: Final = "rooms.remove"
ROOMS_RENAME: Final = "rooms.rename"
ROOMS_DELETE: Final = "rooms.delete"
ROOMS_LIST: Final = "rooms.list"
ROOMS_GET: Final = "rooms.get"

HISTORY_PAGE: Final = "history.page"
HISTORY_READ: Final = "history.read"
HISTORY_UNREAD: Final = "history.unread"
HISTORY_NOTIFY: Final = "history.notify"
HISTORY_NOTIFICATIONS: Final = "history.notifications"
HISTORY_DISMISS: Final = "history.dismiss"

CONTROL: Final = "control.*.*"
"""What the stream CONTROL captures."""

REPUBLISHED_CONTROL: Final = "live.control.{{wildcard(1)}}.{{wildcard(2)}}"
"""Where it republishes that once it is stored."""

CONTROL_INTEREST: Final = "live.control.*.*"
"""What every gateway listens to."""

SESSIONS_REVOKED: Final = "control.session.*"
USERS_REVOKED: Final = "control.user.*"

KEPT_SESSIONS: Final = "$KV.SESSIONS.>"
"""What the bucket of clients' sessions captures."""


def stored_message(room: str) -> str:
    """Where a chat message for `room` is published to be stored."""
    return f"chat.room.{room}.message"


def room_of_stored(subject: str) -> str:
    """The room of a subject made by `stored_message`."""
    return subject.split(".")[2]


def live(room: str, kind: str) -> str:
    """Where `kind` (`TYPING`, `EVENT`, `PRESENCE`) of `room` is published to the gateways of its present members."""
    return f"live.room.{room}.{kind}"


def live_interest(room: str) -> str:
    """What a gateway with members of `room` subscribes to: everything live in that room, and no other room."""
    return f"live.room.{room}.*"


def live_user(user: str, kind: str) -> str:
    """Where `kind` (`NOTIFICATION`, `READ`) is published to all devices of `user`."""
    return f"live.user.{user}.{kind}"


def live_user_interest(user: str) -> str:
    """What a gateway with devices of `user` subscribes to."""
    return f"live.user.{user}.*"


def user_of_live(subject: str) -> str:
    """The user of a subject made by `live_user`."""
    return subject.split(".")[2]


def live_gateway(gateway: str) -> str:
    """Where `gateway` says that it lives."""
    return f"live.gateway.{gateway}.presence"


def presence_answers(inbox: str, gateway: str) -> str:
    """Where `gateway`, which has `inbox`, is told who is present in a room that it asked about."""
    return f"{inbox}.live.{gateway}.presence"


def inbox(user: str) -> str:
    """What the subjects begin with on which a user of NATS gets replies, and no other user does."""
    return f"_INBOX.{user}" if user else "_INBOX"


def reply(inbox: str, asked: str, of: str) -> str:
    """Where the user who has `inbox` wants the replies to go of those who answer the subject `asked`.

    Its first token says who may reply there: nobody can answer in the name of another. `of` tells apart what is
    asked, and may be `*`; to ourselves nothing is `asked`.
    """
    return f"{inbox}.{asked.partition('.')[0] or 'self'}.{of}"


def is_inbox(subject: str) -> bool:
    """Whether `subject` is one that a reply may be sent to."""
    return subject.startswith("_INBOX.")


def stream_get(stream: str) -> str:
    """Where the leader of `stream` is asked for a message: JetStream's own API."""
    return f"$JS.API.STREAM.MSG.GET.{stream}"


def stream_info(stream: str) -> str:
    """Where the leader of `stream` is asked for its state."""
    return f"$JS.API.STREAM.INFO.{stream}"


def kept_session(pid: str) -> str:
    """Where the session with the secret `pid` is put; `pid` is an id (see `wire.ids`)."""
    return f"$KV.SESSIONS.{pid}"


def session_revoked(session: str) -> str:
    """Where it is published that a session has been revoked."""
    return f"control.session.{session}"


def user_revoked(user: str) -> str:
    """Where it is published that all sessions of a user have been revoked."""
    return f"control.user.{user}"


def members_changed(room: str) -> str:
    """Where it is published who has become a member of a private room, or is none any more."""
    return f"control.room.{room}"
