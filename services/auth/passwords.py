"""Password hashing: argon2id, in a pool of threads with a bounded queue.

A hash costs tens of milliseconds and megabytes by design. In the pool it never holds up the verification of tokens,
and a flood of logins is told to come back instead of piling up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from wire.errors import ErrorCode, ParleyError

T = TypeVar("T")


class Passwords:
    """Hashes and checks."""

    def __init__(self, executor: ThreadPoolExecutor, *, most: int) -> None:
        self._executor = executor
        self._free = most
        self._hasher = PasswordHasher()
        # Checked when there is no such account, so that the answer takes as long as for a wrong password.
        self._decoy = self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """The encoded hash to store. Raises `ParleyError` (rate_limited)."""
        return await self._in_pool(lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `password` is the one of `stored`; always False, after as long, for None. Raises `ParleyError`."""

        def check() -> bool:
            try:
                return self._hasher.verify(self._decoy if stored is None else stored, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

        return await self._in_pool(check)

    async def _in_pool(self, work: Callable[[], T]) -> T:
        if self._free <= 0:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too many sign-ins at once, try again shortly", retry_after=1)
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._free += 1


@asynccontextmanager
async def pool(*, threads: int, queue: int) -> AsyncIterator[Passwords]:
    """A pool of `threads` that lets `queue` more requests wait."""
    executor = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
    try:
        yield Passwords(executor, most=threads + queue)
    finally:
        executor.shutdown(cancel_futures=True)
