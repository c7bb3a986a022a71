"""What the auth service can be told."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from runtime.settings import ServiceSettings, Text


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens are signed; the part that `mint` needs too."""

    signing_key_file: Text
    """A PKCS#8 PEM file with an Ed25519 private key, readable by its owner (and group) alone."""
    token_issuer: Text = "parley"  # noqa: S105 - a name
    token_audience: Text = "parley"  # noqa: S105 - a name
    access_token_seconds: Annotated[int, Meta(ge=60)] = 3600


class AuthSettings(ServiceSettings, frozen=True, kw_only=True):
    """All of it."""

    nats_user: ClassVar[str] = "auth"

    tokens: TokenSettings
    mongo_url: Text
    mongo_database: Text = "parley"
    allow_guests: bool = False
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = 2
    hashing_queue: Annotated[int, Meta(ge=1)] = 64
    """How many password checks may wait for a thread before the next is told to come back."""
