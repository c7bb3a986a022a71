"""Password hashing: argon2id, in a pool that is bounded and recovers."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import pytest_asyncio
from argon2 import PasswordHasher, Type, extract_parameters

from services.auth import passwords
from services.auth.passwords import Passwords
from wire.errors import ErrorCode, ParleyError


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hashing() -> AsyncIterator[Passwords]:
    """A pool with room."""
    async with passwords.pool(threads=1, queue=8) as made:
        yield made


async def test_a_stored_hash_is_argon2id_of_at_least_owasp_strength(hashing: Passwords) -> None:
    """The hash says how it was made: argon2id, at least 19 MiB and two passes (OWASP), a 16 byte salt."""
    stored = await hashing.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$")
    used = extract_parameters(stored)
    assert used.type is Type.ID
    assert used.memory_cost >= 19 * 1024
    assert used.time_cost >= 2
    assert used.salt_len >= 16
    assert used.hash_len >= 32
    assert "correct horse" not in stored


async def test_every_hash_has_its_own_salt(hashing: Passwords) -> None:
    """Two users with the same password cannot be told to have it."""
    assert await hashing.hash("correct horse") != await hashing.hash("correct horse")


@pytest.mark.parametrize("password", ["correct horse", "pässwörd ✓ 日本", "a" * 256, " spaces ", "nul\0nul"])
async def test_a_password_matches_its_own_hash_alone(hashing: Passwords, password: str) -> None:
    """Every character counts, to the last."""
    stored = await hashing.hash(password)
    assert await hashing.matches(password, stored)
    assert not await hashing.matches(password[:-1], stored)
    assert not await hashing.matches(password + " ", stored)
    assert not await hashing.matches("", stored)


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$v=19$broken", "$2b$12$" + "a" * 53])
async def test_nothing_matches_what_is_no_hash(hashing: Passwords, stored: str | None) -> None:
    """No account, and a damaged one: the answer is no, and no exception."""
    assert not await hashing.matches("correct horse", stored)
    assert not await hashing.matches("no account has this password", stored)


async def test_without_an_account_the_same_work_is_done(hashing: Passwords) -> None:
    """The decoy that is checked for an unknown user costs exactly what a real hash costs."""
    assert extract_parameters(hashing._decoy) == extract_parameters(await hashing.hash("any"))
    checked = _Recorder()
    ordinary, hashing._hasher = hashing._hasher, checked
    try:
        await hashing.matches("guess", None)
    finally:
        hashing._hasher = ordinary
    assert checked.seen == [hashing._decoy]


class _Recorder(PasswordHasher):
    """A real hasher that remembers which hashes it was really asked to check."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        """Check, and remember."""
        self.seen.append(hash)
        return super().verify(hash, password)


@contextmanager
def busy_executor() -> Iterator[tuple[ThreadPoolExecutor, threading.Event]]:
    """One thread, busy until the event is set; always set in the end, or its pool could not be left."""
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait)
        try:
            yield executor, gate
        finally:
            gate.set()


async def test_a_full_queue_refuses_and_recovers() -> None:
    """Above the bound one is told to come back, at once and with a time; when there is room again, it works."""
    with busy_executor() as (executor, gate):
        hashing = Passwords(executor, most=2)
        waiting = [asyncio.create_task(hashing.hash("correct horse")) for _ in range(2)]
        await asyncio.sleep(0)
        refusals = await asyncio.gather(*(hashing.matches("guess", None) for _ in range(3)), return_exceptions=True)
        gate.set()
        for each in refusals:
            assert isinstance(each, ParleyError)
            assert each.code == ErrorCode.RATE_LIMITED
            assert each.retry_after
        stored = await asyncio.gather(*waiting)
        again = await asyncio.gather(*(hashing.matches("correct horse", each) for each in stored))
        assert again == [True, True]


async def test_a_caller_that_gives_up_leaves_its_place() -> None:
    """Cancelled while it waits for a thread, a check does not count any more."""
    with busy_executor() as (executor, gate):
        hashing = Passwords(executor, most=1)
        waiting = asyncio.create_task(hashing.hash("correct horse"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        assert await hashing.hash("correct horse")


async def test_the_pool_lets_as_many_in_as_it_was_told() -> None:
    """Threads and queue together are the bound; the threads are gone after the block."""
    before = set(threading.enumerate())
    async with passwords.pool(threads=2, queue=3) as hashing:
        outcomes = await asyncio.gather(*(hashing.hash("correct horse") for _ in range(7)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [str] * 5 + [ParleyError] * 2
    assert set(threading.enumerate()) <= before
