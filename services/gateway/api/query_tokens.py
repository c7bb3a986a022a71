"""Tokens do not go into URLs: those are kept in histories and in the logs of whatever is on the way."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from wire.errors import ErrorCode, ParleyError

_NAMES: Final = frozenset({"token", "access_token", "refresh_token", "auth"})


@web.middleware
async def no_tokens_in_query(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse a request with a token in its query; raises `ParleyError` (invalid), which never repeats it."""
    if not _NAMES.isdisjoint(map(str.lower, request.query)):
        raise ParleyError(
            ErrorCode.INVALID,
            "no token goes into a URL: send it in the auth payload of a connection, or as Authorization: Bearer",
        )
    return await handler(request)
