"""Access tokens: EdDSA-signed JWTs (RFC 9068), issued and verified here."""

import secrets
from typing import Any, Final

import jwt
import msgspec

from services.auth import keys, metrics, pinned
from services.auth.keys import SigningKey
from services.auth.pinned import Clock, Rules, Unverified
from services.auth.settings import TokenSettings
from wire.accounts import Verified
from wire.ids import Id
from wire.messages import User

_ALGORITHM: Final = "EdDSA"
_TYPE: Final = "at+jwt"


class _Claims(msgspec.Struct):
    sub: Id
    sid: Id
    name: str
    preferred_username: str | None = None


class Tokens:
    """Issues and verifies. Several keys may verify; one of them signs (see `keys.signer`)."""

    def __init__(self, known: list[SigningKey], settings: TokenSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._rules = Rules(settings.token_issuer, settings.token_audience, _TYPE, ("sub", "sid", "jti", "name"))
        self.use(known)

    def use(self, known: list[SigningKey]) -> None:
        """Sign and verify with these keys, one at least, from now on."""
        self._by_kid = {key.kid: key for key in known}
        metrics.keys.set(len(self._by_kid))

    @property
    def issuer(self) -> str:
        """Who issues these tokens, as they say themselves."""
        return self._settings.token_issuer

    @property
    def signer(self) -> SigningKey:
        """The key that signs now."""
        return keys.signer(self._by_kid.values(), self._clock(), self._settings.key_activation_seconds)

    @property
    def lifetime(self) -> int:
        """How long an access token lasts, in seconds."""
        return self._settings.access_token_seconds

    def issue(self, user: User, session: str) -> str:
        """A token that lets `user` connect, as part of `session`."""
        now = int(self._clock() * 1000) / 1000
        claims: dict[str, Any] = {
            "iss": self._settings.token_issuer,
            "aud": self._settings.token_audience,
            "sub": user.id,
            "sid": session,
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "exp": int(now) + self.lifetime,
            "name": user.display_name,
        }
        if user.username is not None:
            claims["preferred_username"] = user.username
        signer = self.signer
        return jwt.encode(claims, signer.private, algorithm=_ALGORITHM, headers={"kid": signer.kid, "typ": _TYPE})

    def verify(self, token: str) -> Verified:
        """Who bears `token`. Raises `ParleyError`: expired, or unauthorized without saying why."""
        return self.verify_said(token, pinned.unverified(token))

    def verify_said(self, token: str, said: Unverified) -> Verified:
        """The same, for a token of which it is known already what it says of itself."""
        key = None if said.kid is None else self._by_kid.get(said.kid)
        if key is None:
            raise pinned.unauthorized()
        checked = pinned.checked(token, key.public, _ALGORITHM, self._rules, self._clock)
        try:
            claims = msgspec.convert(checked.claims, _Claims)
        except msgspec.ValidationError:
            raise pinned.unauthorized() from None
        return Verified(
            user=User(id=claims.sub, display_name=claims.name, username=claims.preferred_username),
            session=claims.sid,
            expires_at=checked.expires_at,
            issued_at=checked.issued_at,
        )

    def keys(self) -> list[dict[str, Any]]:
        """The public keys, as JWKs."""
        return [key.jwk() for key in self._by_kid.values()]
