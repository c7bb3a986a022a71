"""The keys of external issuers, kept."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import jwt
import structlog

from services.auth import jwks, metrics, pinned
from services.auth.jwks import JwksError, Keys
from services.auth.jwks_fetching import Fetch
from wire.errors import ErrorCode, ParleyError

FRESH_SECONDS: Final = 300.0
RETRY_SECONDS: Final = 30.0
"""How long after one try the next may come, while keys are known; the same for kids that are not known."""
FIRST_RETRY_SECONDS: Final = 5.0
"""The same, while no keys are."""

log = structlog.get_logger()


class JwksCache:
    """Keys are fetched when they are first needed, and again when they are `FRESH_SECONDS` old or one is not known.

    While they cannot be fetched those known go on, however old. Whoever asks waits for one and the same fetch, `most`
    of them at once; the others are answered with what is known. What is wrong is logged once.
    """

    def __init__(
        self,
        issuer: str,
        algorithms: tuple[str, ...],
        fetch: Fetch,
        *,
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._algorithms = algorithms
        self._fetch = fetch
        self._free = most
        self._clock = clock
        self._keys: Keys = {}
        self._fresh_until = float("-inf")
        self._next_try = float("-inf")
        self._next_unknown = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._trouble = ""
        for result in ("ok", "failed"):
            metrics.jwks_fetches.labels(issuer=issuer, result=result)

    async def key(self, algorithm: str, kid: str | None) -> jwt.PyJWK:
        """The key that verifies. Raises `ParleyError`: unauthorized, or unavailable if it may be had later."""
        if algorithm not in self._algorithms:
            raise pinned.unauthorized()
        now = self._clock()
        if now >= self._fresh_until:
            await self._refresh(due=now >= self._next_try)
        elif (algorithm, kid) not in self._keys:
            due = now >= self._next_unknown and self._fetching is None
            if due:
                self._next_unknown = now + RETRY_SECONDS
            await self._refresh(due=due)
        key = self._keys.get((algorithm, kid))
        if key is not None:
            return key
        if self._trouble or self._fetching is not None:
            raise ParleyError(ErrorCode.UNAVAILABLE, "the keys of the token's issuer cannot be had", retry_after=5)
        raise pinned.unauthorized()

    async def _refresh(self, *, due: bool) -> None:
        if self._fetching is None and due:
            self._fetching = asyncio.create_task(self._take())
        if self._fetching is None or self._free <= 0:
            return
        self._free -= 1
        try:
            # Shielded: whoever gives up must not take it from the others.
            await asyncio.shield(self._fetching)
        finally:
            self._free += 1

    async def _take(self) -> None:
        result = "failed"
        try:
            self._keys = await asyncio.to_thread(jwks.parse, await self._fetch(), self._algorithms)
            self._fresh_until = self._clock() + FRESH_SECONDS
            result = "ok"
            if self._trouble:
                self._trouble = ""
                log.info("keys of an issuer can be had again", issuer=self._issuer)
        except JwksError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.error("keys of an issuer cannot be had", issuer=self._issuer, reason=self._trouble)  # noqa: TRY400
        finally:
            metrics.jwks_fetches.labels(issuer=self._issuer, result=result).inc()
            self._next_try = self._clock() + (RETRY_SECONDS if self._keys else FIRST_RETRY_SECONDS)
            self._fetching = None
