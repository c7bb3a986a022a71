"""One example of every message with every field, and one with the defaults left out; and of every subject."""

from typing import Final, get_args

from msgspec import Raw

from wire import messages, subjects
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
_STORED_LEAST: Final = StoredMessage(room="lobby", seq=7, prev=0, id="m-1", author=_AUTHOR, body="Hello", ts=_TS)

FULL: Final[tuple[Message, ...]] = (
    messages.ChatMessage(id="m-1", author=_AUTHOR, body='Hello "Bob" \n ✓', ts=_TS, data=_DATA),
    messages.Typing(user="u-ann", active=True, origin="c-1"),
    messages.RoomEvent(user="u-ann", name="cursor", data=_DATA, origin="c-1"),
    messages.VerifyToken(token="header.claims.signature"),  # noqa: S106 - no token
    messages.Verified(user=_ANN, session="s-1", expires_at=1_767_229_200),
    messages.Guest(display_name="Bob"),
    messages.Register(username="ann", password="correct horse", display_name="Ann Ümlaut"),  # noqa: S106
    messages.Login(username="ann", password="correct horse"),  # noqa: S106 - no password of anybody
    messages.Session(user=_ANN, access_token="header.claims.signature", expires_in=3600),  # noqa: S106
    messages.GetKeys(),
    messages.Keys(keys=[{"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k-1"}]),
    messages.GetPage(room="lobby", limit=50, before=42, after=7),
    messages.Page(messages=[_STORED], more=True),
    KeptSession(user="u-ann", holder="c-1", rooms={"lobby": KeptRoom(key="aB3_", since=42)}),
    messages.Refused(code=ErrorCode.RATE_LIMITED, message="too many", retry_after=1.5),
)

LEAST: Final[tuple[Message, ...]] = (
    messages.ChatMessage(id="m-1", author=_AUTHOR, body="Hello", ts=_TS),
    messages.Typing(user="u-ann", active=False, origin="c-1"),
    messages.RoomEvent(user="u-ann", name="cursor", data=Raw(b"null"), origin="c-1"),
    messages.VerifyToken(token=""),
    messages.Verified(user=_BOB, session="s-1", expires_at=0),
    messages.Guest(display_name=""),
    messages.Register(username="ann", password="correct horse"),  # noqa: S106
    messages.Login(username="", password=""),
    messages.Session(user=_BOB, access_token="header.claims.signature", expires_in=0),  # noqa: S106
    messages.GetKeys(),
    messages.Keys(keys=[]),
    messages.GetPage(room="lobby", limit=1),
    messages.Page(messages=[_STORED_LEAST], more=False),
    KeptSession(user="u-ann", holder="c-1", rooms={}),
    messages.Refused(code=ErrorCode.FORBIDDEN, message="no such room"),
)

SUBJECT_ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "stored_message": ("lobby",),
    "room_of_stored": ("chat.room.lobby.message",),
    "kept_session": ("aB3_-secret",),
    "live": ("lobby", subjects.TYPING),
    "live_interest": ("lobby",),
    "stream_get": ("MESSAGES",),
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
    return set(get_args(messages.RoomLive))
