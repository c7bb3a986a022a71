"""What clients send, and are answered."""

from typing import Final

from apidocs.described import Event
from apidocs.words.samples import MESSAGE, USER
from services.gateway import replies
from wire.errors import ErrorCode

_OK: Final = {"ok": True}
CONNECT_CODES: Final = (
    *(ErrorCode.UNAUTHORIZED, ErrorCode.EXPIRED),
    *(ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE),
)
"""Of refused connections."""

ALWAYS: Final = (ErrorCode.INVALID, ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL)
"""Codes that any event may be refused with."""

CLIENT_EVENTS: Final[dict[str, Event]] = {
    "join": Event(
        summary="Enter a room",
        text="With `after`, the `seq` of the last message that the client has, what came since is delivered first, "
        "in order, never twice and without a hole. Above 500 missed messages the newest 500 come, and `truncated` is "
        "true: page back with `history`. After `unavailable`, join again with `after`.",
        reply=replies.Joined,
        codes=(ErrorCode.FORBIDDEN,),
        example={"room": "lobby", "after": 40},
        answer={**_OK, "room": "lobby", "seq": 42, "missed": 1, "truncated": False},
    ),
    "leave": Event(
        summary="Leave a room",
        text="Leaving a room that one is not in is fine.",
        reply=replies.Done,
        example={"room": "lobby"},
        answer=_OK,
    ),
    "message": Event(
        summary="Say something, once per id",
        text="Acknowledged once it is stored. After `unavailable` it may have been: send it again with the same id, "
        "through any gateway; it is stored and shown once. `body` and `data` have at most 16 KiB each.",
        reply=replies.Sent,
        codes=(ErrorCode.NOT_JOINED, ErrorCode.TOO_LARGE),
        example={"room": "lobby", "id": "m-1", "body": "Hello!", "data": {"reply_to": "m-0"}},
        answer={**_OK, "seq": 42, "ts": 1_767_225_600_123, "duplicate": False},
    ),
    "typing": Event(
        summary="Begin or cease to type",
        text="Told to the others in the room, at most once, and not stored.",
        reply=replies.Done,
        codes=(ErrorCode.NOT_JOINED,),
        example={"room": "lobby", "active": True},
        answer=_OK,
    ),
    "event": Event(
        summary="Tell the other members something of the application's own",
        text="At most once, never stored: cursors, live numbers. Whoever reads too slowly gets the newest of each "
        "room, name and sender. `data` is any JSON, 16 KiB at most.",
        reply=replies.Done,
        codes=(ErrorCode.NOT_JOINED, ErrorCode.TOO_LARGE),
        example={"room": "lobby", "name": "cursor", "data": {"x": 0.4, "y": 0.7}},
        answer=_OK,
    ),
    "presence": Event(
        summary="Who is in a room?",
        text="At whichever gateway. At most 1,000 are listed; `count` is how many there are. It fits the events "
        "`presence` that follow: together they are true.",
        reply=replies.Present,
        codes=(ErrorCode.NOT_JOINED,),
        example={"room": "lobby"},
        answer={**_OK, "members": [USER], "count": 1},
    ),
    "history": Event(
        summary="Read a page of a room",
        text="The newest messages; with `before` or `after` (not both) those next to a `seq`. A page holds all "
        "up to the last acknowledged message, and is cut at 512 KiB: then `more` is true before `limit` is reached.",
        reply=replies.HistoryPage,
        codes=(ErrorCode.NOT_JOINED,),
        example={"room": "lobby", "before": 43, "limit": 1},
        answer={**_OK, "messages": [MESSAGE], "more": True},
    ),
    "read": Event(
        summary="Everything in a room is read, up to a message",
        text="Kept for the user, on whichever device: the marker only ever rises, and never above the room's last "
        "message. The acknowledgement says where it is now.",
        reply=replies.MarkedRead,
        codes=(ErrorCode.NOT_JOINED,),
        example={"room": "lobby", "seq": 42},
        answer={**_OK, "seq": 42},
    ),
    "dismiss": Event(
        summary="A notification has been read",
        text="It is not shown again, on any device. One that is not there is fine.",
        reply=replies.Done,
        example={"id": "n-1"},
        answer=_OK,
    ),
    "refresh": Event(
        summary="Lengthen the life of this connection",
        text="With another access token of the same user.",
        reply=replies.Refreshed,
        codes=(ErrorCode.UNAUTHORIZED, ErrorCode.EXPIRED, ErrorCode.FORBIDDEN),
        example={"token": "eyJhbGciOiJFZERTQSJ9..."},
        answer={**_OK, "expires_in": 600},
    ),
}
