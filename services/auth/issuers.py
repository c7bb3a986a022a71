"""Tokens of external issuers: whom they speak of, in Parley's own ids."""

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from runtime.settings import SettingsError
from services.auth import jwks, jwks_fetching, names, pinned
from services.auth.jwks import JwksError
from services.auth.jwks_cache import JwksCache
from services.auth.pinned import Clock, Rules, Unverified
from services.auth.tokens import Tokens
from services.auth.trusted_issuers import TrustedIssuer
from wire.accounts import EXTERNAL_SESSION, Verified
from wire.errors import ParleyError
from wire.ids import ID_PATTERN
from wire.messages import User

_HASHED: Final = "h-"
"""What follows the prefix of a user id that is made of a hash; no other begins so."""
_WAITING_MOST: Final = 32
"""How many requests may wait for keys, of all issuers together: half of those that an instance deals with at once, so
that issuers who do not answer hold up nobody else's tokens."""


class Issuer:
    """One external issuer."""

    def __init__(self, trusted: TrustedIssuer, keys: JwksCache, clock: Clock) -> None:
        self._trusted = trusted
        self._keys = keys
        self._clock = clock
        self._rules = Rules(trusted.issuer, trusted.audience, trusted.type, (trusted.claims.user,))

    async def verify(self, token: str, said: Unverified) -> Verified:
        """Who bears `token`. Raises `ParleyError`: expired, unavailable, or unauthorized without saying why."""
        key = await self._keys.key(said.algorithm, said.kid)
        checked = pinned.checked(token, key, said.algorithm, self._rules, self._clock)
        try:
            user = self._user(checked.claims)
            session = self._session(checked.claims, user.id, token)
        except ValueError:
            raise pinned.unauthorized() from None
        return Verified(user=user, session=session, expires_at=checked.expires_at, issued_at=checked.issued_at)

    def _user(self, claims: dict[str, Any]) -> User:
        called = self._trusted.claims
        claim = claims[called.user]
        if not isinstance(claim, str) or not claim:
            raise ValueError
        user_id = f"{self._trusted.user_prefix}{claim}"
        if claim.startswith(_HASHED) or not re.match(ID_PATTERN, user_id):
            user_id = f"{self._trusted.user_prefix}{_HASHED}{_hash(self._trusted.issuer, claim)}"
        username = None if called.username is None else _shown(claims.get(called.username))
        shown = _shown(claims.get(called.display_name)) or username or user_id
        return User(id=user_id, display_name=shown, username=username)

    def _session(self, claims: dict[str, Any], user_id: str, token: str) -> str:
        # With the user in it: whoever ends a session ends no other user's, whatever an issuer puts into the claim.
        for name in (self._trusted.claims.session, "jti"):
            if isinstance(value := claims.get(name), str) and value:
                return f"{EXTERNAL_SESSION}{_hash(self._trusted.issuer, user_id, name, value)}"
        # Without the signature: with some algorithms anybody can make another one of it that is as good.
        return f"{EXTERNAL_SESSION}{_hash(self._trusted.issuer, user_id, token.rpartition('.')[0])}"


class Verifier:
    """Verifies tokens of all issuers: its own `iss` leads a token to one issuer's keys and rules, and no other's."""

    def __init__(self, tokens: Tokens, issuers: dict[str, Issuer]) -> None:
        self._tokens = tokens
        self._issuers = issuers

    async def verify(self, token: str) -> Verified:
        """Who bears `token`. Raises `ParleyError`: expired, unavailable, or unauthorized without saying why."""
        said = pinned.unverified(token)
        if said.issuer == self._tokens.issuer:
            return self._tokens.verify_said(token, said)
        issuer = self._issuers.get(said.issuer)
        if issuer is None:
            raise pinned.unauthorized()
        return await issuer.verify(token, said)


async def open_issuers(trusted: list[TrustedIssuer], http: aiohttp.ClientSession, clock: Clock) -> dict[str, Issuer]:
    """The issuers by name. Raises `SettingsError` for a file of keys that is bad; addresses are asked later."""
    issuers = {}
    for each in trusted:
        fetch = (
            jwks_fetching.from_url(http, each.jwks_url)
            if each.jwks_url
            else jwks_fetching.from_file(Path(each.jwks_file or ""))
        )
        if each.jwks_file:
            try:
                jwks.parse(await fetch(), each.algorithms)
            except JwksError as error:
                raise SettingsError(f"TRUSTED_ISSUERS_FILE: keys of {each.issuer!r}: {error}") from None
        keys = JwksCache(each.issuer, each.algorithms, fetch, most=max(1, _WAITING_MOST // len(trusted)))
        issuers[each.issuer] = Issuer(each, keys, clock)
    return issuers


def _shown(claim: object) -> str | None:
    try:
        return names.shown(claim, "display_name") if isinstance(claim, str) else None
    except ParleyError:
        return None


def _hash(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]
