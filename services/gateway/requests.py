"""What clients ask: one Struct per event, the packets that carry them, and what is wrong with those that do not fit.

`Raw` is JSON that Parley carries without looking into it.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.ids import Id
from wire.messages import JSON_ABSENT, GetPage, Seq

PAGE_DEFAULT: Final = 50


class Join(msgspec.Struct, frozen=True):
    """Enter a room; with `after`, first get what came since."""

    room: Id
    after: Seq | None = None


class Leave(msgspec.Struct, frozen=True):
    """Leave a room. Leaving a room one is not in is fine."""

    room: Id


class SendMessage(msgspec.Struct, frozen=True):
    """Say something, once per id."""

    room: Id
    id: Id
    body: str
    data: Raw = JSON_ABSENT


class SetTyping(msgspec.Struct, frozen=True):
    """Began or ceased to type."""

    room: Id
    active: bool


class SendEvent(msgspec.Struct, frozen=True):
    """Relay something to the other members, at most once, never stored."""

    room: Id
    name: Id
    data: Raw


class GetPresence(msgspec.Struct, frozen=True):
    """Ask who is in a room."""

    room: Id


class GetHistory(msgspec.Struct, frozen=True):
    """A page of a room: before a seq, after a seq, or the newest."""

    room: Id
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = PAGE_DEFAULT


class MarkRead(msgspec.Struct, frozen=True):
    """Everything in a room is read, up to a message."""

    room: Id
    seq: Seq


class Refresh(msgspec.Struct, frozen=True):
    """Lengthen this connection's life."""

    token: str


class Dismiss(msgspec.Struct, frozen=True):
    """A notification has been read. One that is not there is fine."""

    id: Id


# --- the same as packets, decoded in one pass -----------------------------------------------------------------------


class ClientEvent(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The base of all; the tag is the event's name."""


class JoinEvent(ClientEvent, frozen=True, tag="join"):
    """`["join", {...}]`."""

    request: Join


class LeaveEvent(ClientEvent, frozen=True, tag="leave"):
    """`["leave", {...}]`."""

    request: Leave


class MessageEvent(ClientEvent, frozen=True, tag="message"):
    """`["message", {...}]`."""

    request: SendMessage


class TypingEvent(ClientEvent, frozen=True, tag="typing"):
    """`["typing", {...}]`."""

    request: SetTyping


class RelayEvent(ClientEvent, frozen=True, tag="event"):
    """`["event", {...}]`."""

    request: SendEvent


class PresenceEvent(ClientEvent, frozen=True, tag="presence"):
    """`["presence", {...}]`."""

    request: GetPresence


class HistoryEvent(ClientEvent, frozen=True, tag="history"):
    """`["history", {...}]`."""

    request: GetHistory


class ReadEvent(ClientEvent, frozen=True, tag="read"):
    """`["read", {...}]`."""

    request: MarkRead


class RefreshEvent(ClientEvent, frozen=True, tag="refresh"):
    """`["refresh", {...}]`."""

    request: Refresh


class DismissEvent(ClientEvent, frozen=True, tag="dismiss"):
    """`["dismiss", {...}]`."""

    request: Dismiss


AnyEvent = (
    JoinEvent
    | LeaveEvent
    | MessageEvent
    | TypingEvent
    | RelayEvent
    | PresenceEvent
    | HistoryEvent
    | ReadEvent
    | RefreshEvent
    | DismissEvent
)

_REQUESTS: Final[dict[str, type[msgspec.Struct]]] = {
    "join": Join,
    "leave": Leave,
    "message": SendMessage,
    "typing": SetTyping,
    "event": SendEvent,
    "presence": GetPresence,
    "history": GetHistory,
    "read": MarkRead,
    "refresh": Refresh,
    "dismiss": Dismiss,
}
_arguments: Final = msgspec.json.Decoder(list[Raw])
_name: Final = msgspec.json.Decoder(str)


def page_request(request: GetHistory) -> GetPage:
    """What to ask history; raises `ParleyError` (invalid) for a page with two ends."""
    if request.before is not None and request.after is not None:
        raise ParleyError(ErrorCode.INVALID, "give before or after, not both")
    return GetPage(room=request.room, limit=request.limit, before=request.before, after=request.after)


def why_refused(text: str, error: Exception) -> tuple[str | None, str]:
    """The name of an event that was refused with `error`, if it has one of ours, and what to tell its sender."""
    try:
        name, argument = _arguments.decode(text)
        kind = _REQUESTS.get(_name.decode(name))
    except (ValueError, RecursionError):  # msgspec's errors, and any other number of arguments
        return None, "an event takes a name and one JSON object"
    if kind is None:
        return "unknown", "no such event"
    try:
        codec.Decoder(kind).decode(bytes(argument))
    except codec.WireError as within:
        # Said at once: an error that a variable keeps keeps its frames, and they keep it and all that was sent, until
        # the collector comes by.
        return _name.decode(name), str(within)
    return _name.decode(name), str(error)
