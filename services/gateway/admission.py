"""Letting clients in: a bounded number at once, and so many of each user."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.gateway.edge import metrics
from services.gateway.edge.counts import Counts
from wire.errors import ErrorCode, ParleyError

_TURN_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = (2.0, 10.0)


class Admission:
    """`at_once` are asked about at the same time, and of one user `per_user` are let in; 0: any number."""

    def __init__(self, *, at_once: int, per_user: int) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._per_user = per_user
        self.users: Final[Counts[str]] = Counts()
        """How many connections each user has."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, in the order of the calls, and have it within `async with`. Raises `ParleyError`.

        That is unavailable, after some seconds: a storm of clients then weighs on this gateway, and not on auth.
        """
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            metrics.limited.labels(limit="verifications").inc()
            raise ParleyError(
                ErrorCode.UNAVAILABLE, "too many clients connect at once", retry_after=_soon()
            ) from None
        try:
            yield
        finally:
            self._turns.release()

    def enter(self, user: str) -> None:
        """One more connection of `user`. Raises `ParleyError` (rate_limited) if that is too many."""
        if 0 < self._per_user <= self.users[user]:
            metrics.limited.labels(limit="user").inc()
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many connections of this user", retry_after=_soon())
        self.users.add(user)

    def leave(self, user: str) -> None:
        """A connection that has entered is gone."""
        self.users.remove(user)


def _soon() -> float:
    # Different for each, so that they do not come back together.
    return round(random.uniform(*_AGAIN_SECONDS), 1)  # noqa: S311
