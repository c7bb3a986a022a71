"""Whoever asks over HTTP, by the token that they bear: a user's access token, or a backend's service token."""

from aiohttp import hdrs, web

from services.gateway.auth import Auth
from wire.accounts import SERVICE_TOKEN, Scope, Service, Verified, VerifyService
from wire.errors import ErrorCode, ParleyError


async def bearer(request: web.Request, auth: Auth) -> Verified:
    """Who sends `request`. Raises `ParleyError`: unauthorized, expired, unavailable, rate_limited."""
    return await auth.asking(token(request))


async def service(request: web.Request, auth: Auth, scope: Scope) -> Service:
    """Which backend sends `request`. Raises `ParleyError`: unauthorized, forbidden without `scope`, unavailable."""
    return await auth.verify_service(VerifyService(token=token(request), scope=scope))


async def user_or_service(request: web.Request, auth: Auth, scope: Scope) -> Verified | Service:
    """Who sends `request`, a user or a backend: the token says which. Raises as `bearer` and as `service`."""
    if token(request).startswith(SERVICE_TOKEN):
        return await service(request, auth, scope)
    return await bearer(request, auth)


def token(request: web.Request) -> str:
    """The token, of whichever kind, that `request` bears. Raises `ParleyError` (unauthorized)."""
    scheme, _, borne = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not borne.strip():
        raise ParleyError(ErrorCode.UNAUTHORIZED, "send Authorization: Bearer <token>")
    if not borne.isascii():  # bytes that are no UTF-8 come as lone surrogates, which nothing can encode
        raise ParleyError(ErrorCode.UNAUTHORIZED, "the token is not valid")
    return borne.strip()
