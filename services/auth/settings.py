"""What the auth service can be told."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from runtime.settings import Seconds, ServiceSettings, Text
from services.auth.key_folder import ACTIVATION_SECONDS_MOST
from wire.streams import TOKEN_SECONDS_MOST


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How tokens are signed; the part that `mint` needs too."""

    signing_keys_dir: Text
    """A folder of PKCS#8 PEM files with Ed25519 private keys, readable by their owner (and group) alone."""
    key_activation_seconds: Annotated[float, Meta(gt=0, le=ACTIVATION_SECONDS_MOST)] = 600
    """How old a key must be to sign: longer than whoever verifies keeps what it knows of keys."""
    token_issuer: Text = "parley"  # noqa: S105 - a name
    token_audience: Text = "parley"  # noqa: S105 - a name
    access_token_seconds: Annotated[int, Meta(ge=10, le=TOKEN_SECONDS_MOST)] = 600


Most = Annotated[int, Meta(ge=0)]
"""0: no limit."""


class AttemptSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody may try; an IPv6 address counts as the /64 it is in."""

    login_failures_per_account: Most = 10
    login_failures_per_address: Most = 100
    login_failure_seconds: Seconds = 900
    registrations_per_address: Most = 20
    """In an hour, as is the next one."""
    guests_per_address: Most = 100


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where accounts are; the part that the commands for service tokens need too."""

    mongo_url: Text
    mongo_database: Text = "parley"
    mongo_password_file: str = ""
    """The password of the user in MONGO_URL, readable by its owner (and group) alone."""


class AuthSettings(ServiceSettings, frozen=True, kw_only=True):
    """All of it."""

    nats_user: ClassVar[str] = "auth"

    tokens: TokenSettings
    database: DatabaseSettings
    key_reload_seconds: Seconds = 5
    """How often the folder of keys is looked at."""
    trusted_issuers_file: str = ""
    """JSON: who else's tokens are good here (see `issuers`); empty: nobody's."""
    allow_guests: bool = False
    refresh_token_seconds: Annotated[int, Meta(ge=60)] = 30 * 86_400
    """How long a session lasts that nobody goes on with."""
    attempts: AttemptSettings
    hashing_threads: Annotated[int, Meta(ge=1, le=64)] = 2
    hashing_queue: Annotated[int, Meta(ge=1)] = 32
    """How many password checks may wait for a thread before the next is told to come back."""
    group_members_most: Annotated[int, Meta(ge=2, le=2000)] = 1000
    """Above, what is said of a group would not fit into a NATS message."""
    groups_per_user_most: Annotated[int, Meta(ge=1)] = 1000
    """How many groups a user may own and still make another."""
