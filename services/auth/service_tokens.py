"""Service tokens: with which a backend publishes, notifies or disconnects, within its scopes.

Opaque: 256 random bits, of which only a hash is kept.
"""

import hashlib
import re
import secrets
from typing import Final

from services.auth.service_token_store import ServiceTokenStore
from wire.accounts import SERVICE_TOKEN, Scope, Service, ServiceName, VerifyService
from wire.errors import ErrorCode, ParleyError

_TOKEN: Final = re.compile(rf"{SERVICE_TOKEN}[A-Za-z0-9_-]{{43}}\Z")


class ServiceTokens:
    """Makes and verifies. Nothing is cached: a token that was revoked is good for nothing from then on."""

    def __init__(self, store: ServiceTokenStore) -> None:
        self._store = store

    async def create(self, name: ServiceName, scopes: frozenset[Scope]) -> str:
        """A new token; it is told once. Raises `NameTakenError`, and `ParleyError` (unavailable)."""
        token = f"{SERVICE_TOKEN}{secrets.token_urlsafe(32)}"
        await self._store.add(_hash(token), name, scopes)
        return token

    async def verify(self, request: VerifyService) -> Service:
        """Whose the token is. Raises `ParleyError`: unauthorized, forbidden (a scope it has not), unavailable."""
        known = await self._store.living(_hash(request.token)) if _TOKEN.match(request.token) else None
        if known is None:
            raise ParleyError(ErrorCode.UNAUTHORIZED, "the service token is not valid")
        if request.scope not in known.scopes:
            raise ParleyError(ErrorCode.FORBIDDEN, f"the service token has not the scope {request.scope}")
        return Service(name=known.name)


def _hash(token: str) -> str:
    # Of 256 random bits, so that it needs no salt, and no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
