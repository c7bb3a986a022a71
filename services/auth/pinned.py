"""Verifying a JWT with everything pinned that a forger could choose (RFC 8725), whoever issued it."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import jwt
import msgspec
from msgspec import Meta

from wire.accounts import LEEWAY_SECONDS
from wire.errors import ErrorCode, ParleyError
from wire.streams import TOKEN_SECONDS_MOST

Clock = Callable[[], float]
Time = Annotated[float, Meta(ge=0, le=1e11)]
"""Seconds since the epoch; with a fraction or without."""

_LONGEST: Final = 4096
_TIMES_UNCHECKED: Final = {"verify_iat": False, "verify_nbf": False, "verify_exp": False}
"""They are checked here, last: only who had a good token is told that it has expired."""


class Rules(msgspec.Struct, frozen=True):
    """What a token of one issuer must say."""

    issuer: str
    audience: str
    type: str | None
    """None: whatever it says."""
    claims: tuple[str, ...]
    """Which must be there, beside `iss`, `aud`, `iat` and `exp`."""


class Unverified(msgspec.Struct, frozen=True):
    """What a token says of itself: to find the issuer and the key by, and to believe in nothing else."""

    issuer: str
    algorithm: str
    kid: str | None
    type: str | None


class Checked(msgspec.Struct, frozen=True):
    """The claims of a token that is good, and the time for which it is."""

    claims: dict[str, Any]
    issued_at: int
    """Milliseconds since the epoch."""
    expires_at: int
    """Seconds since the epoch; no later than `TOKEN_SECONDS_MOST` after it was issued, whatever it says."""


class _Header(msgspec.Struct):
    alg: str
    kid: str | None = None
    typ: str | None = None


class _Issuer(msgspec.Struct):
    iss: str


class _Times(msgspec.Struct):
    iat: Time
    exp: Time
    nbf: Time = 0.0


def unauthorized() -> ParleyError:
    """The answer to a bad token, whatever is bad about it."""
    return ParleyError(ErrorCode.UNAUTHORIZED, "the token is not valid")


def unverified(token: str) -> Unverified:
    """What `token` says of itself. Raises `ParleyError` (unauthorized), before it is decoded if it is too long."""
    if len(token) > _LONGEST or not token.isascii():
        raise unauthorized()
    try:
        said = jwt.decode_complete(token, options={"verify_signature": False})
        header = msgspec.convert(said["header"], _Header)
        issuer = msgspec.convert(said["payload"], _Issuer).iss
    except (jwt.PyJWTError, ValueError):
        raise unauthorized() from None
    # PyJWT knows one extension that may be critical, `b64`; here, none is.
    if not {"crit", "b64"}.isdisjoint(said["header"]):
        raise unauthorized()
    return Unverified(issuer=issuer, algorithm=header.alg, kid=header.kid, type=header.typ)


def checked(token: str, key: Any, algorithm: str, rules: Rules, clock: Clock) -> Checked:
    """The claims of `token`, which must be signed by `key` with `algorithm`, and say what `rules` ask for.

    Raises `ParleyError`: expired, for a token that was good once, or unauthorized without saying why.
    """
    options: Any = {"require": ["iss", "aud", "iat", "exp", *rules.claims], **_TIMES_UNCHECKED}
    try:
        complete = jwt.decode_complete(
            token, key, algorithms=[algorithm], issuer=rules.issuer, audience=rules.audience, options=options
        )
        times = msgspec.convert(complete["payload"], _Times)
    except (jwt.PyJWTError, ValueError):
        raise unauthorized() from None
    if rules.type is not None and _media_type(complete["header"].get("typ")) != _media_type(rules.type):
        raise unauthorized()
    now = clock()
    if max(times.iat, times.nbf) > now + LEEWAY_SECONDS:
        raise unauthorized()
    until = min(times.exp, times.iat + TOKEN_SECONDS_MOST)
    if until + LEEWAY_SECONDS <= now:
        raise ParleyError(ErrorCode.EXPIRED, "the token has expired")
    return Checked(complete["payload"], issued_at=round(times.iat * 1000), expires_at=int(until))


def _media_type(text: str | None) -> str | None:
    # RFC 7515, 4.1.9: without regard to case, and the prefix may be left out.
    return None if text is None else text.lower().removeprefix("application/")
