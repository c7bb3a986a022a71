"""Whoever asks over HTTP, by the token that they bear."""

from aiohttp import hdrs, web

from services.gateway.auth import Auth
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError


async def bearer(request: web.Request, auth: Auth) -> Verified:
    """Who sends `request`. Raises `ParleyError`: unauthorized, expired, unavailable."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ParleyError(ErrorCode.UNAUTHORIZED, "send Authorization: Bearer <access token>")
    return await auth.bearer(token.strip())
