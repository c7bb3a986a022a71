"""The client contract: what clients send, what acknowledges it, and what they are sent.

One Struct per shape; `Raw` is JSON that Parley carries without looking into it.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.ids import Id
from wire.messages import JSON_ABSENT, GetPage, Seq, StoredMessage, User

BODY_MOST_BYTES: Final = 16 * 1024
DATA_MOST_BYTES: Final = 16 * 1024
DATA_DEEPEST: Final = 64
"""Deeper JSON is legal, and overflows the stack of some of the clients that would receive it."""
PAGE_DEFAULT: Final = 50

# --- client -> server ---------------------------------------------------------------------------------------------


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


class GetHistory(msgspec.Struct, frozen=True):
    """A page of a room: before a seq, after a seq, or the newest."""

    room: Id
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = PAGE_DEFAULT


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


class HistoryEvent(ClientEvent, frozen=True, tag="history"):
    """`["history", {...}]`."""

    request: GetHistory


AnyEvent = JoinEvent | LeaveEvent | MessageEvent | TypingEvent | RelayEvent | HistoryEvent

_REQUESTS: Final[dict[str, type[msgspec.Struct]]] = {
    "join": Join,
    "leave": Leave,
    "message": SendMessage,
    "typing": SetTyping,
    "event": SendEvent,
    "history": GetHistory,
}
_arguments: Final = msgspec.json.Decoder(list[Raw])
_name: Final = msgspec.json.Decoder(str)


# --- acknowledgements ---------------------------------------------------------------------------------------------


class Done(msgspec.Struct, frozen=True):
    """`{ok: true}`; the base of every good acknowledgement."""

    ok: bool = True


class Joined(Done, frozen=True, kw_only=True):
    """`seq`: the room's last; `missed`: how many were delivered just now; `truncated`: there were more."""

    room: str
    seq: int
    missed: int
    truncated: bool


class Sent(Done, frozen=True, kw_only=True):
    """Stored. `duplicate`: it was stored before, and these are its seq and ts."""

    seq: int
    ts: int
    duplicate: bool


class HistoryPage(Done, frozen=True, kw_only=True):
    """Messages in seq order; `more`: there are others beyond."""

    messages: list[StoredMessage]
    more: bool


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong."""

    code: ErrorCode
    message: str
    retry_after: float | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """`{ok: false, error}`."""

    ok: bool = False
    error: Problem

    @classmethod
    def of(cls, error: ParleyError) -> "Failed":
        """The acknowledgement that tells of `error`."""
        return cls(error=Problem(error.code, error.message, error.retry_after))


# --- server -> client ---------------------------------------------------------------------------------------------


class SessionStarted(msgspec.Struct, frozen=True):
    """`session`: once, right after connect."""

    user: User
    session: str
    gateway: str
    expires_in: int


class TypingShown(msgspec.Struct, frozen=True):
    """`typing`: somebody in the room types, or ceased to."""

    room: str
    user: str
    active: bool


class EventShown(msgspec.Struct, frozen=True):
    """`event`: an application's own event."""

    room: str
    name: str
    data: Raw
    user: str


# --- rules that a type cannot say -----------------------------------------------------------------------------------


def check_body(body: str) -> None:
    """Raises `ParleyError`: invalid when empty, too_large above `BODY_MOST_BYTES` of UTF-8."""
    if not body:
        raise ParleyError(ErrorCode.INVALID, "body is empty")
    if len(body) > BODY_MOST_BYTES or len(body.encode()) > BODY_MOST_BYTES:
        raise ParleyError(ErrorCode.TOO_LARGE, f"body is larger than {BODY_MOST_BYTES} bytes")


def check_data(data: Raw) -> None:
    """Raises `ParleyError` for JSON that is too large, too deep, or that not every client could read."""
    raw = bytes(data)
    if len(raw) > DATA_MOST_BYTES:
        raise ParleyError(ErrorCode.TOO_LARGE, f"data is larger than {DATA_MOST_BYTES} bytes")
    if not raw:
        return
    try:
        # Skipping over a value checks its syntax alone; decoding it also rejects numbers and text out of range.
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParleyError(ErrorCode.INVALID, f"data: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > DATA_DEEPEST and _depth(value) > DATA_DEEPEST:
        raise ParleyError(ErrorCode.INVALID, f"data is nested deeper than {DATA_DEEPEST}")


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
        error = within
    return _name.decode(name), str(error)


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level = [each for each in inner if isinstance(each, dict | list)]
    return depth
