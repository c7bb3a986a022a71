"""One example of every message with every field, and one with the defaults left out; and of every subject."""

from typing import Final, get_args

from msgspec import Raw

from wire import accounts, control, live, membership, messages, notifications, presence, reading, subjects
from wire.errors import ErrorCode
from wire.kept_sessions import KeptRoom, KeptSession
from wire.messages import Author, Message, StoredMessage, User

_ANN: Final = User(id="u-ann", display_name="Ann Ümlaut", username="ann")
_BOB: Final = User(id="u-bob", display_name="Bob")
_AUTHOR: Final = Author(id="u-ann", display_name="Ann Ümlaut")
_TS: Final = 1_767_225_600_123
_DATA: Final = Raw(b'{"reply_to":"m-0","tags":["a",1,null]}')
_STORED: Final = StoredMessage(
    room="lobby", seq=42, prev=40, id="m-1", author=_AUTHOR, body='Hello "Bob" \n ✓', ts=_TS, data=_DATA
)
_GROUP: Final = membership.RoomInfo(
    room="g-1", kind="group", member_count=2, name="Climbing", owner="u-ann", members=[_AUTHOR]
)
_STORED_LEAST: Final = StoredMessage(room="lobby", seq=7, prev=0, id="m-1", author=_AUTHOR, body="Hello", ts=_TS)
_NOTIFICATION: Final = notifications.Notification(
    id="n-1", title="Build 7 has failed", ts=_TS, body="2 tests of 5,880", data=_DATA
)
_NOTIFICATION_LEAST: Final = notifications.Notification(id="n-1", title="Build 7 has failed", ts=0)

FULL: Final[tuple[Message, ...]] = (
    messages.ChatMessage(id="m-1", author=_AUTHOR, body='Hello "Bob" \n ✓', ts=_TS, data=_DATA),
    messages.Typing(user="u-ann", active=True, origin="c-1"),
    messages.RoomEvent(user="u-ann", name="cursor", data=_DATA, origin="c-1"),
    accounts.VerifyToken(token="header.claims.signature"),  # noqa: S106 - no token
    accounts.Verified(user=_ANN, session="s-1", expires_at=1_767_229_200, issued_at=_TS),
    accounts.Guest(display_name="Bob", address="192.0.2.1"),
    accounts.Register(username="ann", password="correct horse", display_name="Ann Ümlaut", address="192.0.2.1"),  # noqa: S106
    accounts.Login(username="ann", password="correct horse", address="192.0.2.1"),  # noqa: S106 - of nobody
    accounts.Refresh(refresh_token="opaque"),  # noqa: S106 - no token
    accounts.Session(user=_ANN, access_token="header.claims.signature", expires_in=600, refresh_token="opaque"),  # noqa: S106
    accounts.Logout(user="u-ann", session="s-1", expires_at=1_767_229_200),
    accounts.ChangePassword(user="u-ann", password="correct horse", new_password="battery", address="192.0.2.1"),  # noqa: S106
    accounts.Disconnect(user="u-ann"),
    accounts.VerifyService(token="opaque", scope="notify"),  # noqa: S106 - no token
    accounts.Service(name="billing"),
    accounts.GetKeys(),
    accounts.Keys(keys=[{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k-1"}]),
    membership.CheckMember(user="u-ann", rooms=["g-1", "d-1"]),
    membership.CreateGroup(owner="u-ann", members=["u-bob"], name="Climbing"),
    membership.OpenDirect(user="u-ann", other="u-bob"),
    membership.AddMember(by="u-ann", room="g-1", user="u-bob"),
    membership.RemoveMember(by="u-ann", room="g-1", user="u-bob"),
    membership.RenameGroup(by="u-ann", room="g-1", name="Bouldering"),
    membership.DeleteGroup(by="u-ann", room="g-1"),
    membership.ListRooms(user="u-ann", after="g-1"),
    membership.GetRoom(user="u-ann", room="g-1"),
    _GROUP,
    membership.RoomList(rooms=[_GROUP], more=True),
    control.SessionRevoked(session="s-1", user="u-ann", until=1_767_229_200),
    control.UserRevoked(user="u-ann", before=_TS),
    control.MembersChanged(room="g-1", added=("u-ann",), removed=("u-bob",), reason="removed"),
    messages.GetPage(room="lobby", limit=50, before=42, after=7),
    messages.Page(messages=[_STORED], more=True),
    KeptSession(user="u-ann", holder="c-1", rooms={"lobby": KeptRoom(key="aB3_", since=42)}),
    presence.PresenceChanged(gateway="gw-1", version=3, online=(_AUTHOR,), offline=("u-bob",)),
    presence.PresenceStands(gateway="gw-1", version=3),
    presence.PresenceAsked(gateway="gw-2", of="gw-1"),
    presence.PresenceSnapshot(room="lobby", gateway="gw-1", version=3, members=[_AUTHOR], part=1, parts=2),
    presence.Heartbeat(gateway="gw-1", lease=30.0, standing=50.0),
    presence.Farewell(gateway="gw-1"),
    reading.MarkRead(user="u-ann", room="lobby", seq=42),
    reading.ReadMarker(seq=42, moved=True),
    reading.CountUnread(user="u-ann", rooms=["lobby", "g-1"]),
    reading.Unread(rooms=[reading.RoomStanding(room="lobby", seq=42, read=40, unread=1)]),
    reading.ReadMoved(room="lobby", seq=42, origin="c-1"),
    _NOTIFICATION,
    notifications.Notify(user="u-ann", notification=_NOTIFICATION),
    notifications.Notified(ts=_TS, duplicate=True),
    notifications.GetNotifications(users=["u-ann", "u-bob"]),
    notifications.Kept(kept=[notifications.KeptFor(user="u-ann", notifications=[_NOTIFICATION])], left=["u-bob"]),
    notifications.Dismiss(user="u-ann", id="n-1"),
    notifications.Dismissed(id="n-1", origin="c-1"),
    messages.Done(),
    messages.Refused(code=ErrorCode.RATE_LIMITED, message="too many", retry_after=1.5),
)

LEAST: Final[tuple[Message, ...]] = (
    messages.ChatMessage(id="m-1", author=_AUTHOR, body="Hello", ts=_TS),
    messages.Typing(user="u-ann", active=False, origin="c-1"),
    messages.RoomEvent(user="u-ann", name="cursor", data=Raw(b"null"), origin="c-1"),
    accounts.VerifyToken(token=""),
    accounts.Verified(user=_BOB, session="s-1", expires_at=0, issued_at=0),
    accounts.Guest(display_name="", address=""),
    accounts.Register(username="ann", password="correct horse", address=""),  # noqa: S106
    accounts.Login(username="", password="", address=""),
    accounts.Refresh(refresh_token=""),
    accounts.Session(user=_BOB, access_token="header.claims.signature", expires_in=0, refresh_token=""),  # noqa: S106
    accounts.Logout(user="u-ann", session="s-1", expires_at=0),
    accounts.ChangePassword(user="u-ann", password="", new_password="", address=""),
    accounts.Disconnect(user="u-ann"),
    accounts.VerifyService(token="", scope="publish"),
    accounts.Service(name="billing"),
    accounts.GetKeys(),
    accounts.Keys(keys=[]),
    membership.CheckMember(rooms=["g-1"]),
    membership.CreateGroup(owner="u-ann", members=[]),
    membership.OpenDirect(user="u-ann", other="u-bob"),
    membership.AddMember(by="u-ann", room="g-1", user="u-bob"),
    membership.RemoveMember(by="u-ann", room="g-1", user="u-bob"),
    membership.RenameGroup(by="u-ann", room="g-1", name=""),
    membership.DeleteGroup(by="u-ann", room="g-1"),
    membership.ListRooms(user="u-ann"),
    membership.GetRoom(user="u-ann", room="g-1"),
    membership.RoomInfo(room="d-1", kind="direct", member_count=2),
    membership.RoomList(rooms=[], more=False),
    control.SessionRevoked(session="s-1", user="u-ann", until=0),
    control.UserRevoked(user="u-ann", before=0),
    control.MembersChanged(room="g-1"),
    messages.GetPage(room="lobby", limit=1),
    messages.Page(messages=[_STORED_LEAST], more=False),
    KeptSession(user="u-ann", holder="c-1", rooms={}),
    presence.PresenceChanged(gateway="gw-1", version=1),
    presence.PresenceStands(gateway="gw-1", version=0),
    presence.PresenceAsked(gateway="gw-2"),
    presence.PresenceSnapshot(room="lobby", gateway="gw-1", version=0, members=[]),
    presence.Heartbeat(gateway="gw-1"),
    presence.Farewell(gateway="gw-1"),
    reading.MarkRead(user="u-ann", room="lobby", seq=0),
    reading.ReadMarker(seq=0, moved=False),
    reading.CountUnread(user="u-ann", rooms=["lobby"]),
    reading.Unread(rooms=[]),
    reading.ReadMoved(room="lobby", seq=0, origin="c-1"),
    _NOTIFICATION_LEAST,
    notifications.Notify(user="u-ann", notification=_NOTIFICATION_LEAST),
    notifications.Notified(ts=0, duplicate=False),
    notifications.GetNotifications(users=["u-ann"]),
    notifications.Kept(kept=[], left=[]),
    notifications.Dismiss(user="u-ann", id="n-1"),
    notifications.Dismissed(id="n-1", origin="c-1"),
    messages.Done(),
    messages.Refused(code=ErrorCode.FORBIDDEN, message="no such room"),
)

SUBJECT_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "stored_message": ("lobby",),
    "room_of_stored": ("chat.room.lobby.message",),
    "kept_session": ("aB3_-secret",),
    "session_revoked": ("s-1",),
    "user_revoked": ("u-ann",),
    "members_changed": ("g-1",),
    "inbox": ("gateway",),
    "is_inbox": ("_INBOX.gateway.auth.aB3.7",),
    "reply": ("_INBOX.gateway", "auth.verify", "aB3.7"),
    "live": ("lobby", subjects.TYPING),
    "live_interest": ("lobby",),
    "live_user": ("u-ann", subjects.READ),
    "live_user_interest": ("u-ann",),
    "user_of_live": ("live.user.u-ann.read",),
    "live_gateway": ("gw-1",),
    "presence_answers": ("_INBOX.gateway", "gw-1"),
    "stream_get": ("MESSAGES",),
    "stream_info": ("CONTROL",),
}
"""With which arguments each function of `wire.subjects` is called."""


def message_types() -> set[type[Message]]:
    """Every message type that the contract declares, however deep below `Message`."""
    found: set[type[Message]] = set()
    waiting: list[type[Message]] = [Message]
    while waiting:
        below = [each for each in waiting.pop().__subclasses__() if each.__module__.startswith("wire.")]
        found.update(below)
        waiting += below
    return found


def live_types() -> set[type[Message]]:
    """What is live in a room: the members of the union that gateways decode."""
    return set(get_args(live.RoomLive))
