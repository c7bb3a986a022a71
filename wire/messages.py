"""Every message that crosses NATS, as tagged types.

The tag travels as ``type``, so that bytes say what they are wherever they are found: in a stream, in a dead letter,
in a log. Changing a field here changes the wire: `tests/contract/golden/` holds each message's bytes.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, field

from wire.errors import ErrorCode
from wire.ids import Id

_INT64_MOST: Final = (1 << 63) - 1

Seq = Annotated[int, Meta(ge=0, le=_INT64_MOST)]
"""A room's sequence number; 0 stands for "before the first"."""

Millis = Annotated[int, Meta(ge=0, le=_INT64_MOST)]
"""Milliseconds since the epoch, UTC."""

JSON_ABSENT = Raw(b"")
"""The value of an optional JSON field that was not given (`null` is a value)."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """The base of all messages."""


class User(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person or guest, as others may see them."""

    id: Id
    display_name: str
    username: str | None = None
    """None for a guest."""


class Author(msgspec.Struct, frozen=True):
    """Who wrote a message, as its readers see them."""

    id: Id
    display_name: str


# --- what happens in a room -------------------------------------------------------------------------------------


class ChatMessage(Message, frozen=True, tag="message"):
    """What one user said in one room. Stored; its room and seq come from where it is stored."""

    id: Id
    """Chosen by the sender; the same id again from the same user in the same room is the same message."""
    author: Author = field(name="from")
    body: str
    ts: Millis
    data: Raw = JSON_ABSENT
    """Any JSON, opaque to Parley."""


class Typing(Message, frozen=True, tag="typing"):
    """A user began or ceased to type. Never stored."""

    user: Id
    active: bool
    origin: str
    """The socket it came from, which does not hear it."""


class RoomEvent(Message, frozen=True, tag="event"):
    """An application's own event, relayed to the other members. Never stored, at most once."""

    user: Id
    name: Id
    data: Raw
    origin: str


# --- history ----------------------------------------------------------------------------------------------------


class GetPage(Message, frozen=True, tag="history.get_page"):
    """The messages of `room` with ``after < seq < before``, at most `limit` of them.

    The newest of that range, or its oldest when only `after` is given. Answered by `Page` or `Refused`.
    """

    room: Id
    limit: Annotated[int, Meta(ge=1, le=500)]
    before: Seq | None = None
    after: Seq | None = None


class StoredMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message with its place in the room: what a client sees, live or in a page."""

    room: Id
    seq: Seq
    prev: Seq
    """The seq before it in this room; 0: it is the first."""
    id: Id
    author: Author = field(name="from")
    body: str
    ts: Millis
    data: Raw = JSON_ABSENT

    @classmethod
    def of(cls, message: ChatMessage, *, room: str, seq: int, prev: int) -> "StoredMessage":
        """`message` at its place."""
        return cls(
            room=room,
            seq=seq,
            prev=prev,
            id=message.id,
            author=message.author,
            body=message.body,
            ts=message.ts,
            data=message.data,
        )


class Page(Message, frozen=True, tag="history.page"):
    """Messages in seq order. `more`: the range holds others, on the far side from where the page was anchored."""

    messages: list[StoredMessage]
    more: bool


# --- any request ------------------------------------------------------------------------------------------------


class Done(Message, frozen=True, tag="done"):
    """The "yes" to a request that asks for nothing but to be carried out."""


class Refused(Message, frozen=True, tag="refused"):
    """The expected "no" to any request."""

    code: ErrorCode
    message: str
    retry_after: float | None = None
    """Seconds."""
