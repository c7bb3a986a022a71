"""What clients are sent unasked."""

from typing import Final

from apidocs.described import Push
from apidocs.words.samples import MESSAGE, USER
from services.gateway import pushes
from wire.messages import StoredMessage

PUSHES: Final[dict[str, Push]] = {
    "session": Push(
        kinds=(pushes.SessionStarted,),
        summary="Who one is, and how long the connection lasts",
        text="Once, right after connect.",
        example={"user": {**USER, "username": "ann"}, "session": "s-1", "gateway": "gateway-1", "expires_in": 600},
    ),
    "message": Push(
        kinds=(StoredMessage,),
        summary="Somebody has said something",
        text="Once it is stored; to everybody in the room, its sender among them, in order of `seq` and once. On a "
        "connection with `recover` a second argument follows, which is socket.io-client's own.",
        example=MESSAGE,
    ),
    "typing": Push(
        kinds=(pushes.TypingShown,),
        summary="Somebody types, or has ceased to",
        example={"room": "lobby", "user": "u-7Hk2", "active": True},
    ),
    "event": Push(
        kinds=(pushes.EventShown,),
        summary="An application's own event",
        example={"room": "lobby", "name": "cursor", "data": {"x": 0.4, "y": 0.7}, "user": "u-7Hk2"},
    ),
    "presence": Push(
        kinds=(pushes.PresenceShown, pushes.RoomPresence),
        summary="Somebody came into a room, or has left it with all their devices",
        text="One at a time in rooms of up to `PRESENCE_BATCH_ABOVE` users (1,000). In larger ones, and when very "
        "many come and go, what has changed comes together, once a second at most; above 100 changes only `count` is "
        "told, and `truncated`: ask with `presence`.",
        example={"room": "lobby", "user": "u-7Hk2", "display_name": "Ann", "state": "online"},
    ),
    "read": Push(
        kinds=(pushes.ReadShown,),
        summary="The user has read a room up to somewhere, on another device",
        text="At most once: `GET /api/rooms` tells how it stands.",
        example={"room": "lobby", "seq": 42},
    ),
    "notification": Push(
        kinds=(pushes.NotificationShown,),
        summary="A backend tells the user something",
        text="At once on all devices that are there, and once more after each connect until it is dismissed: a "
        "client shows what has the same id once.",
        example={"id": "n-1", "title": "Build 7 has failed", "body": "2 tests of 5,880", "ts": 1_767_225_600_123},
    ),
    "dismissed": Push(
        kinds=(pushes.DismissedShown,),
        summary="The user has read a notification, on another device",
        example={"id": "n-1"},
    ),
    "added": Push(
        kinds=(pushes.Added,),
        summary="One has become a member of a private room",
        text="On all devices; join it to hear what is said there.",
        example={"room": "g-Zk3f"},
    ),
    "removed": Push(
        kinds=(pushes.Removed,),
        summary="One is no member of a private room any more",
        text="On all devices, whether they were in the room or not. `reason` is `removed`, `left` (on another "
        "device) or `deleted`.",
        example={"room": "g-Zk3f", "reason": "removed"},
    ),
    "expiring": Push(
        kinds=(pushes.Expiring,),
        summary="The connection ends in so many seconds",
        text="A minute ahead, or after three quarters of its life. `refresh` it, or it is closed; then connect again "
        "with another token.",
        example={"expires_in": 60},
    ),
    "draining": Push(
        kinds=(pushes.Draining,),
        summary="This gateway is about to end",
        text="The connection will be closed; official clients come back by themselves, elsewhere.",
        example={},
    ),
}
