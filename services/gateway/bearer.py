"""Whoever asks over HTTP, by the token that they bear."""

from aiohttp import hdrs, web

from services.gateway.auth import Auth
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError


async def bearer(request: web.Request, auth: Auth) -> Verified:
    """Who sends `request`. Raises `ParleyError`: unauthorized, expired, unavailable, rate_limited."""
    return await auth.asking(token(request))


def token(request: web.Request) -> str:
    """The token, of whichever kind, that `request` bears. Raises `ParleyError` (unauthorized)."""
    scheme, _, borne = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not borne.strip():
        raise ParleyError(ErrorCode.UNAUTHORIZED, "send Authorization: Bearer <token>")
    if not borne.isascii():  # bytes that are no UTF-8 come as lone surrogates, which nothing can encode
        raise ParleyError(ErrorCode.UNAUTHORIZED, "the token is not valid")
    return borne.strip()
