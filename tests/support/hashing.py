"""Passwords for tests in which how often they are hashed matters, and not what that costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher

from services.auth import passwords
from services.auth.passwords import Passwords


class Counting(PasswordHasher):
    """A real hasher, as cheap as argon2id can be, that counts what it has really done."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks = 0
        self.done = 0
        """Checks, and hashes that were made."""

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        """Check, and count."""
        self.checks += 1
        self.done += 1
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash, and count."""
        self.done += 1
        return super().hash(password, salt=salt)


@asynccontextmanager
async def cheap_pool(*, threads: int, queue: int) -> AsyncIterator[Passwords]:
    """A real pool, whose hasher is a `Counting`."""
    async with passwords.pool(threads=threads, queue=queue) as made:
        hasher = Counting()
        made._hasher, made._decoy = hasher, hasher.hash("no account has this password")
        yield made
