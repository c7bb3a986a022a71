"""Routes for an application's own servers."""

from typing import Final

from apidocs.described import Query, Route
from apidocs.words.tags import BACKENDS
from services.gateway.api import backends as backends_api
from services.gateway.api import paths
from wire.errors import ErrorCode

ROUTES: Final[dict[str, Route]] = {
    "POST /api/rooms/{room}/messages": Route(
        tag=BACKENDS,
        summary="Say something, once per id",
        text="As the event `message`, with its guarantees: answered once it is stored; after `unavailable` send it "
        "again with the same id. A user has to be a member of the room. A service says it in any room that is there, "
        'as `{id: "svc-<name of its token>", display_name: <name of its token>}`.',
        bearer=("user", "service"),
        scope="publish",
        query=Query(paths.OfRoom, {"room": "The id of a room."}),
        body=backends_api.MessageBody,
        example={"id": "m-1", "body": "Build 7 has failed", "data": {"build": 7}},
        answers={201: ("It is stored.", backends_api.SentBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "POST /api/users/{user}/notifications": Route(
        tag=BACKENDS,
        summary="Tell a user something, once per id",
        text="On all devices: at once on those that are there, and on the others once they connect, until one has "
        "dismissed it. Kept for 30 days, and the newest 100 of a user, by default. `title` has at most 256 "
        "characters, `body` and `data` 2 KiB each. Without an `id` one is made; with one, send it again after "
        "`unavailable`.",
        bearer=("service",),
        scope="notify",
        query=Query(paths.OfUser, {"user": "The id of a user."}),
        body=backends_api.NotificationBody,
        example={"id": "build-7", "title": "Build 7 has failed", "body": "2 tests of 5,880"},
        answers={202: ("It is kept.", backends_api.NotifiedBody)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
    "POST /api/users/{user}/disconnect": Route(
        tag=BACKENDS,
        summary="End all sessions of a user",
        text="On all devices, at all gateways, within two seconds. A user whom nobody knows has none, and is fine.",
        bearer=("service",),
        scope="disconnect",
        query=Query(paths.OfUser, {"user": "The id of a user."}),
        answers={202: ("They have ended.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
}
