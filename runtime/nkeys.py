"""NATS's user keys: Ed25519. The server knows the public half, and the user signs a nonce with the other.

As https://github.com/nats-io/nkeys writes them: base32 of a prefix, the key and a checksum. Its Python package checks
no checksum and brings libsodium along; `cryptography` is here anyway.
"""

import base64
import binascii
import os
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime import secret_files
from runtime.settings import SettingsError

_USER: Final = 20 << 3
_SEED: Final = 18 << 3
_PUBLIC_PREFIX: Final = bytes([_USER])
_SEED_PREFIX: Final = bytes([_SEED | _USER >> 5, (_USER & 31) << 3])
_KEY_BYTES: Final = 32
_CHECKSUM_BYTES: Final = 2


class UserKey(msgspec.Struct, frozen=True):
    """A user of NATS."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The name under which the server knows it, `U...`."""
        return _written(_PUBLIC_PREFIX, self.private.public_key().public_bytes_raw())

    @property
    def seed(self) -> str:
        """The secret, `SU...`."""
        return _written(_SEED_PREFIX, self.private.private_bytes_raw())

    def sign(self, nonce: str) -> bytes:
        """What the server wants to see, in base64."""
        return base64.b64encode(self.private.sign(nonce.encode()))


def generate() -> UserKey:
    """A new one."""
    return UserKey(Ed25519PrivateKey.from_private_bytes(os.urandom(_KEY_BYTES)))


def of_seed(seed: str) -> UserKey:
    """The user whose secret this is. Raises `ValueError`, which does not repeat it."""
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except binascii.Error:
        raise ValueError("not base32") from None
    key, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if len(key) != len(_SEED_PREFIX) + _KEY_BYTES or not key.startswith(_SEED_PREFIX):
        raise ValueError("not the seed of a user")
    if _checksum(key) != checksum:
        raise ValueError("its checksum is wrong")
    return UserKey(Ed25519PrivateKey.from_private_bytes(key[len(_SEED_PREFIX) :]))


def read(variable: str, path: str) -> UserKey:
    """The user whose seed is in the file at `path`. Raises `SettingsError`, also if others may read the file."""
    seed = secret_files.read(variable, path)
    try:
        return of_seed(seed)
    except ValueError as error:
        raise SettingsError(f"{variable}: {path} holds no seed of a NATS user (SU...): {error}") from None


def _written(prefix: bytes, key: bytes) -> str:
    return base64.b32encode(prefix + key + _checksum(prefix + key)).rstrip(b"=").decode()


def _checksum(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0).to_bytes(_CHECKSUM_BYTES, "little")
