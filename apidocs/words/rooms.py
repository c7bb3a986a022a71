"""Routes of rooms, and of what was said there."""

from typing import Final

from apidocs.described import Query, Route
from apidocs.words.tags import MESSAGES, ROOMS
from services.gateway import requests
from services.gateway.api import messages, paths
from services.gateway.api import rooms as rooms_api
from wire.errors import ErrorCode

_NAMED: Final = Query(
    paths.OfRoom,
    {"room": "The id of a room."},
)
_MEMBER: Final = Query(
    paths.OfMember,
    {"room": "The id of a group.", "user": "The id of a user."},
)

ROUTES: Final[dict[str, Route]] = {
    "GET /api/rooms": Route(
        tag=ROOMS,
        summary="List one's private rooms",
        text="By id, 100 at most. Of a room with many members the list leaves them out. `seq`, `read` and `unread` "
        "are absent while history does not answer.",
        bearer=("user",),
        query=Query(rooms_api._After, {"after": "The id of the last room of the list before."}),  # noqa: SLF001
        answers={200: ("Some of them; `more`: ask again, with `after`.", rooms_api.RoomsBody)},
    ),
    "POST /api/rooms": Route(
        tag=ROOMS,
        summary="Make a group",
        text="The bearer owns it, and is a member of it. `name` has 1 to 64 characters; a group may have none.",
        bearer=("user",),
        body=rooms_api.GroupBody,
        example={"name": "Climbing", "members": ["u-7Hk2"]},
        answers={201: ("The group.", rooms_api.RoomBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "GET /api/rooms/{room}": Route(
        tag=ROOMS,
        summary="Look at a room",
        text="Of a public room: how one stands there. Of a private one its members, too.",
        bearer=("user",),
        query=_NAMED,
        answers={200: ("The room, with its members.", rooms_api.RoomBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "PATCH /api/rooms/{room}": Route(
        tag=ROOMS,
        summary="Rename a group",
        text="Its owner may.",
        bearer=("user",),
        query=_NAMED,
        body=rooms_api.NameBody,
        example={"name": "Bouldering"},
        answers={204: ("It is called so.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "DELETE /api/rooms/{room}": Route(
        tag=ROOMS,
        summary="End a group",
        text="Its owner may. All members are told `removed`, for the reason `deleted`.",
        bearer=("user",),
        query=_NAMED,
        answers={204: ("It is gone.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "PUT /api/rooms/{room}/members/{user}": Route(
        tag=ROOMS,
        summary="Invite somebody into a group",
        text="Any member may. Who is a member already stays one.",
        bearer=("user",),
        query=_MEMBER,
        answers={204: ("They are a member.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "DELETE /api/rooms/{room}/members/{user}": Route(
        tag=ROOMS,
        summary="Remove somebody from a group, or leave it",
        text="The owner removes anybody; everybody leaves. Who is removed is out on all devices, and told `removed`.",
        bearer=("user",),
        query=_MEMBER,
        answers={204: ("They are none.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "POST /api/direct": Route(
        tag=ROOMS,
        summary="Open the conversation with somebody",
        text="The same room, whoever of the two opens it, and however often.",
        bearer=("user",),
        body=rooms_api.DirectBody,
        example={"user": "u-7Hk2"},
        answers={200: ("The conversation.", rooms_api.RoomBody)},
    ),
    "GET /api/rooms/{room}/messages": Route(
        tag=MESSAGES,
        summary="Read a page of a room",
        text="The newest messages; with `before` or `after` (not both) those next to a `seq`. A page holds all "
        "up to the last acknowledged message, and is cut at 512 KiB.",
        bearer=("user",),
        query=Query(
            requests.GetHistory,
            {
                "room": "The id of a room.",
                "before": "Only messages with a smaller `seq`.",
                "after": "Only messages with a larger `seq`.",
                "limit": "So many at most.",
            },
        ),
        answers={200: ("Messages in `seq` order; `more`: there are others beyond.", messages.PageBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
}
