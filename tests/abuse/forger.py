"""Tokens as no library would make them: any header over any claims, with whatever for a signature.

It has the real signing key, so that each token is wrong in one thing alone.
"""

import base64
import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.abuse.stranger import Stranger

Json = dict[str, Any]
Sign = Callable[[bytes], bytes]


class Forger:
    """Makes tokens out of a `good` one; `key` is what signed it."""

    def __init__(self, good: str, key: Ed25519PrivateKey) -> None:
        self.good = good
        self.header: Json = jwt.get_unverified_header(good)
        self.claims: Json = jwt.decode(good, options={"verify_signature": False})
        self.key = key

    def token(self, *, header: Json | None = None, claims: Json | None = None, sign: Sign | None = None) -> str:
        """`header` and `claims` replace those of the good token, and None removes one; signed by the real key."""
        return self.assembled(
            json.dumps(_changed(self.header, header)), json.dumps(_changed(self.claims, claims)), sign
        )

    def assembled(self, header: str, claims: str, sign: Sign | None = None) -> str:
        """Of texts that need be no JSON."""
        signed = f"{part(header.encode())}.{part(claims.encode())}"
        return f"{signed}.{part((sign or self.key.sign)(signed.encode()))}"

    def by_secret(self, secret: bytes) -> Sign:
        """HS256 with what everybody knows."""
        return partial(hmac.digest, secret, digest="sha256")

    def public(self, encoding: Encoding, form: PublicFormat) -> bytes:
        """The public key, as somebody may have it in a file."""
        return self.key.public_key().public_bytes(encoding, form)


def by_rsa(data: bytes) -> bytes:
    """RS256 with a key of one's own."""
    return rsa.generate_private_key(65537, 2048).sign(data, PKCS1v15(), SHA256())


def part(data: bytes) -> str:
    """One part of a compact token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def forger(stranger: Stranger) -> Forger:
    """One for the tokens of the stranger's stack."""
    (file,) = stranger.stack.signing_keys.glob("*.pem")
    key = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return Forger(await stranger.token(), key)


def _changed(values: Json, changes: Json | None) -> Json:
    return {name: value for name, value in {**values, **(changes or {})}.items() if value is not None}
