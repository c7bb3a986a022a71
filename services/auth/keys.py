"""Ed25519 signing keys: made, read from a file, and published as JWKs.

KeyFileError
"""

import base64
import hashlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

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


class KeyFileError(Exception):
    """A key file is missing, readable by others, or not an Ed25519 private key."""


class SigningKey(msgspec.Struct, frozen=True):
    """A private key and the id under which its public half is published."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        """The half that verifies."""
        return self.private.public_key()

    def jwk(self) -> dict[str, Any]:
        """The public key as a JSON Web Key (RFC 8037)."""
        return {**_jwk_members(self.public), "kid": self.kid, "alg": "EdDSA", "use": "sig"}


def generate(path: Path) -> SigningKey:
    """Write a new key to `path` with mode 0600, all of it or nothing; raises `KeyFileError` if the file exists."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write_new(path, pem)
    except FileExistsError:
        raise KeyFileError(f"{path} exists; a key is never overwritten") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    return _signing_key(private)


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
    """Read the key at `path`; raises `KeyFileError`."""
    try:
        if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise KeyFileError(f"{path} is open to others: chmod 600 it")
        private = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path} is not an unencrypted PEM private key") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key")
    return _signing_key(private)


def _signing_key(private: Ed25519PrivateKey) -> SigningKey:
    # RFC 7638: the thumbprint is the hash of the required members in lexicographic order, without white space.
    canonical = json.dumps(_jwk_members(private.public_key()), sort_keys=True, separators=(",", ":"))
    return SigningKey(_base64url(hashlib.sha256(canonical.encode()).digest()), private)


def _jwk_members(public: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
