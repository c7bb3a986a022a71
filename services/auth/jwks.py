"""JSON Web Key Sets of external issuers (RFC 7517): which keys in one are good for what.

JwksError
"""

from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

Keys = dict[tuple[str, str | None], jwt.PyJWK]
"""By algorithm and kid. None: the only one for its algorithm."""

_RSA_BITS: Final = range(2048, 8192 + 1)
_KIND: Final = {
    "EdDSA": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
}
"""Key type and curve of each algorithm (RFC 7518, RFC 8037)."""


class JwksError(Exception):
    """A key set cannot be had, or is none, or has no key that fits."""


def parse(data: bytes, algorithms: tuple[str, ...]) -> Keys:
    """The keys in `data` that fit one of `algorithms`; raises `JwksError`. All others in it are passed over."""
    try:
        found = msgspec.json.decode(data, type=dict[str, Any])["keys"]
    except (ValueError, KeyError, RecursionError):
        raise JwksError("what came is no key set") from None
    members = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    keys: Keys = {}
    for algorithm in algorithms:
        fitting = [key for each in members if (key := _fitting(each, algorithm)) is not None]
        keys |= {(algorithm, key.key_id): key for key in reversed(fitting)}
        if len(fitting) == 1:
            keys[algorithm, None] = fitting[0]
        else:
            keys.pop((algorithm, None), None)
    if not keys:
        raise JwksError(f"no key in it is good for {' or '.join(algorithms)}")
    return keys


def _fitting(member: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    kind, curve = _KIND[algorithm]
    if (member.get("kty"), member.get("crv")) != (kind, curve):
        return None
    if member.get("alg", algorithm) != algorithm or member.get("use", "sig") != "sig" or "d" in member:
        return None
    operations, kid = member.get("key_ops", ["verify"]), member.get("kid")
    if not (isinstance(operations, list) and "verify" in operations and isinstance(kid, str | None)):
        return None
    try:
        key = jwt.PyJWK(member, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if isinstance(key.key, RSAPublicKey) and key.key.key_size not in _RSA_BITS:
        return None
    return key
