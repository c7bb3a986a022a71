"""Ed25519 signing keys: made, read from files, and published as JWKs; and which of several signs.

A key file's name is when the key was made.

KeyFileError
"""

import base64
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_NAME: Final = "%Y%m%dT%H%M%S.%fZ.pem"
_NAME_WITHOUT_FRACTION: Final = "%Y%m%dT%H%M%SZ.pem"
_LARGEST: Final = 16_384


class KeyFileError(Exception):
    """A key file is missing, misnamed, readable by others, or not an Ed25519 private key."""


class SigningKey(msgspec.Struct, frozen=True):
    """A private key and the id under which its public half is published."""

    kid: str
    private: Ed25519PrivateKey
    made: float = 0.0
    """When, in seconds since the epoch."""

    @property
    def public(self) -> Ed25519PublicKey:
        """The half that verifies."""
        return self.private.public_key()

    def jwk(self) -> dict[str, Any]:
        """The public key as a JSON Web Key (RFC 8037)."""
        return {**_jwk_members(self.public), "kid": self.kid, "alg": "EdDSA", "use": "sig"}


def signer(keys: Iterable[SigningKey], now: float, activation: float) -> SigningKey:
    """The key that signs: the newest that is `activation` seconds old, or the oldest if none is.

    So whoever verifies has had that long to learn of a key before its first token comes. All who know the same keys
    say the same, in whatever order they have them.
    """
    oldest_first = sorted(keys, key=age_order)
    known = [each for each in oldest_first if each.made + activation <= now]
    return known[-1] if known else oldest_first[0]


def age_order(key: SigningKey) -> tuple[float, str]:
    """Sorts keys from the oldest to the newest; of two made at one instant, all who sort them say the same."""
    return key.made, key.kid


def generate(folder: Path, now: float) -> Path:
    """Write a new key, made `now`, into `folder`; raises `KeyFileError`.

    With mode 0600, all of it or nothing, and never over another key: one made at the same instant gets the next name.
    """
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    microseconds = int(now * 1_000_000)
    while True:
        path = folder / datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime(_NAME)
        try:
            _write_new(path, pem)
        except FileExistsError:
            microseconds += 1
        except OSError as error:
            raise KeyFileError(f"{path}: {error.strerror}") from None
        else:
            return path


def _write_new(path: Path, content: bytes) -> None:
    # Whole in a file of its own first, mode 0600. Then linked, not renamed: a link never replaces what is there.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def read(path: Path) -> SigningKey:
    """Read the key at `path`; raises `KeyFileError`. Of a link, the mode of the file that it leads to counts."""
    made = _made(path)
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise KeyFileError(f"{path} is not a file")
            if mode & (stat.S_IRWXO | stat.S_IWGRP):
                raise KeyFileError(f"{path} is open to others: chmod 600 it")
            private = load_pem_private_key(file.read(_LARGEST), password=None)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} is not an unencrypted PEM private key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key")
    return _signing_key(private, made)


def _made(path: Path) -> float:
    for form in (_NAME, _NAME_WITHOUT_FRACTION):
        try:
            made = datetime.strptime(path.name, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if made.strftime(form) == path.name:
            return made.timestamp()
    raise KeyFileError(f"{path} is not named by when it was made, like 20261128T061602Z.pem")


def _without_waiting(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody to write to it.
    return os.open(path, flags | os.O_NONBLOCK)


def _signing_key(private: Ed25519PrivateKey, made: float = 0.0) -> SigningKey:
    # RFC 7638: the thumbprint is the hash of the required members in lexicographic order, without white space.
    canonical = json.dumps(_jwk_members(private.public_key()), sort_keys=True, separators=(",", ":"))
    return SigningKey(_base64url(hashlib.sha256(canonical.encode()).digest()), private, made)


def _jwk_members(public: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
