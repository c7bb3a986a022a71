"""Access tokens: EdDSA-signed JWTs, with everything pinned that a forger could choose (RFC 8725, RFC 9068)."""

import secrets
from collections.abc import Callable
from typing import Any, Final

import jwt

from services.auth.keys import SigningKey
from services.auth.settings import TokenSettings
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User

_ALGORITHM: Final = "EdDSA"
_TYPE: Final = "at+jwt"
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "name"]
_LEEWAY_SECONDS: Final = 10
_LONGEST: Final = 4096


class Tokens:
    """Issues and verifies. Several keys may verify; the first signs."""

    def __init__(self, keys: list[SigningKey], settings: TokenSettings, clock: Callable[[], float]) -> None:
        self._signer = keys[0]
        self._by_kid = {key.kid: key for key in keys}
        self._settings = settings
        self._clock = clock

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
        headers = {"kid": self._signer.kid, "typ": _TYPE}
        return jwt.encode(claims, self._signer.private, algorithm=_ALGORITHM, headers=headers)

    def verify(self, token: str) -> Verified:
        """Who bears `token`. Raises `ParleyError`: expired, or unauthorized without saying why."""
        try:
            claims = self._claims(token)
            return Verified(
                user=User(id=claims["sub"], display_name=claims["name"], username=claims.get("preferred_username")),
                session=claims["sid"],
                expires_at=claims["exp"],
                issued_at=round(claims["iat"] * 1000),
            )
        except jwt.ExpiredSignatureError:
            raise ParleyError(ErrorCode.EXPIRED, "the token has expired") from None
        except (jwt.InvalidTokenError, ValueError):
            raise ParleyError(ErrorCode.UNAUTHORIZED, "the token is not valid") from None

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _LONGEST:
            raise jwt.InvalidTokenError
        header = jwt.get_unverified_header(token)
        key = self._by_kid.get(header.get("kid", ""))
        if key is None or header.get("typ") != _TYPE:
            raise jwt.InvalidTokenError
        claims: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=[_ALGORITHM],
            issuer=self._settings.token_issuer,
            audience=self._settings.token_audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": _CLAIMS},
        )
        return claims

    def keys(self) -> list[dict[str, Any]]:
        """The public keys, as JWKs."""
        return [key.jwk() for key in self._by_kid.values()]
