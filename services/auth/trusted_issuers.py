"""Which external issuers are trusted, and how far: the file TRUSTED_ISSUERS_FILE.

[{"issuer": "https://id.example.com", "audience": "chat", "jwks_url": "https://id.example.com/jwks.json",
  "algorithms": ["RS256"], "user_prefix": "example-", "claims": {"user": "sub", "display_name": "name"}}]
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from runtime.settings import SettingsError, Text
from wire.accounts import SERVICE_AUTHOR
from wire.codec import reason

Algorithm = Literal["EdDSA", "ES256", "RS256", "PS256"]
"""With a public key, all of them: one that is published can be no secret of HMAC's."""

_RESERVED: Final = ("u-", "s-", "g-", "d-", SERVICE_AUTHOR)


class ClaimNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which claims an issuer says what Parley needs."""

    user: Text = "sub"
    display_name: Text = "name"
    username: Text | None = None
    """None: it has none that others may see."""
    session: Text = "sid"
    """A token without it is a session of its own."""


class TrustedIssuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One issuer."""

    issuer: Text
    """As its tokens say it in `iss`, to the letter."""
    audience: Text
    jwks_url: Text | None = None
    jwks_file: Text | None = None
    """Where its public keys are: one of the two."""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("EdDSA",)
    type: Text | None = None
    """What its access tokens say in `typ`, such as `at+jwt`; unless it is given, any of its tokens is good."""
    user_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}\Z")]
    """What the ids of its users begin with, and no others."""
    claims: ClaimNames = ClaimNames()


def load(path: str, *, own_issuer: str) -> list[TrustedIssuer]:
    """The issuers in the file at `path`; none without a path.

    Raises `SettingsError` with one line that says what is wrong with which.
    """
    if not path:
        return []
    try:
        issuers = msgspec.json.decode(Path(path).read_bytes(), type=list[TrustedIssuer])
    except OSError as error:
        raise _wrong(f"{path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(f"{path}: {reason(error)}") from None
    names = [own_issuer]
    for each in issuers:
        if each.issuer in names:
            raise _wrong(f"{path}: {each.issuer!r} is named twice, or is TOKEN_ISSUER")
        names.append(each.issuer)
        if (each.jwks_url is None) == (each.jwks_file is None):
            raise _wrong(f"{path}: {each.issuer!r} needs either jwks_url or jwks_file")
        if each.jwks_url is not None and not _is_safe(each.jwks_url):
            raise _wrong(
                f"{path}: jwks_url of {each.issuer!r} must begin with https://, unless it is on this machine"
            )
    _check_prefixes(path, [each.user_prefix for each in issuers])
    return issuers


def _check_prefixes(path: str, prefixes: list[str]) -> None:
    # Not only unlike each other: with `ac` and `acme`, one issuer's user me-1 would be the other's user -1.
    for number, one in enumerate(prefixes):
        for other in (*_RESERVED, *prefixes[:number]):
            if one.startswith(other) or other.startswith(one):
                raise _wrong(f"{path}: user_prefix {one!r} and {other!r} cannot be told apart")


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(what: str) -> SettingsError:
    return SettingsError(f"TRUSTED_ISSUERS_FILE: {what}")
