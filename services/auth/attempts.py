"""How often somebody may try to get in: by an account's name, and by the address they come from.

An attempt is counted before anything is decided, so many at once get no further than one after the other. Names that
nobody has are counted as all others are, so the count does not say which are there.
"""

import hashlib
import math
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Network, ip_address
from typing import Final, NamedTuple

from services.auth import metrics
from services.auth.attempt_store import AttemptStore
from services.auth.settings import AttemptSettings
from wire.errors import ErrorCode, ParleyError

_HOUR_SECONDS: Final = 3600.0
_IPV6_BITS: Final = 64


class _Limit(NamedTuple):
    name: str
    most: int
    seconds: float


class Attempts:
    """Raises `ParleyError`: rate_limited above a limit, with the time after which one may try again; unavailable."""

    def __init__(self, store: AttemptStore, settings: AttemptSettings, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        seconds = settings.login_failure_seconds
        self._account = _Limit("login_account", settings.login_failures_per_account, seconds)
        self._address = _Limit("login_address", settings.login_failures_per_address, seconds)
        self._registrations = _Limit("register", settings.registrations_per_address, _HOUR_SECONDS)
        self._guests = _Limit("guest", settings.guests_per_address, _HOUR_SECONDS)

    async def registering(self, address: str) -> None:
        """Somebody wants to make an account."""
        await self._count(self._registrations, network(address))

    async def entering(self, address: str) -> None:
        """A guest wants to come in."""
        await self._count(self._guests, network(address))

    async def signing_in(self, username: str, address: str) -> None:
        """Somebody is about to try a password of `username`: a failure, until one of the next two says otherwise."""
        await self._count(self._address, network(address))
        try:
            await self._count(self._account, _key(username))
        except ParleyError:
            await self._take_back(self._address, network(address))
            raise

    async def signed_in(self, username: str, address: str) -> None:
        """It was the right one: the account's failures are forgotten."""
        if self._account.most:
            await self._store.clear(_id(self._account, _key(username)))
        await self._take_back(self._address, network(address))

    async def not_tried(self, username: str, address: str) -> None:
        """Something else has failed."""
        await self._take_back(self._account, _key(username))
        await self._take_back(self._address, network(address))

    async def _count(self, limit: _Limit, key: str) -> None:
        if not limit.most:
            return
        now = self._clock()
        counted = await self._store.add(_id(limit, key), now=now, seconds=limit.seconds)
        if counted.count > limit.most:
            metrics.attempts_refused.labels(limit=limit.name).inc()
            retry_after = max(1, math.ceil(counted.until - now))
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many attempts, try again later", retry_after)

    async def _take_back(self, limit: _Limit, key: str) -> None:
        if limit.most:
            with suppress(ParleyError):  # one too many is counted, which is what happens to all others
                await self._store.take_back(_id(limit, key), now=self._clock())


def network(address: str) -> str:
    """What `address` counts as: an IPv6 address as the /64 it is in, which one customer has; "" if it is none."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed.packed, _IPV6_BITS), strict=False))


def _key(username: str) -> str:
    # A digest: whatever was typed there, a password even, is not kept, and nothing is too long.
    return hashlib.sha256(username.casefold().encode(errors="surrogatepass")).hexdigest()


def _id(limit: _Limit, key: str) -> str:
    return f"{limit.name}:{key}"
