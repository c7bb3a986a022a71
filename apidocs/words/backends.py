"""Routes for an application's own servers."""

from typing import Final

from apidocs.described import Query, Route
from apidocs.words.tags import BACKENDS
from services.gateway import sessions_api
from wire.errors import ErrorCode

ROUTES: Final[dict[str, Route]] = {
    "POST /api/users/{user}/disconnect": Route(
        tag=BACKENDS,
        summary="End all sessions of a user",
        text="On all devices, at all gateways, within two seconds. A user whom nobody knows has none, and is fine.",
        bearer=("service",),
        scope="disconnect",
        query=Query(sessions_api._Disconnected, {"user": "The id of a user."}),  # noqa: SLF001
        answers={202: ("They have ended.", None)},
        codes=(ErrorCode.FORBIDDEN,),
    ),
}
