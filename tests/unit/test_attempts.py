"""Attempts: how often somebody may try to get in, and what a refusal costs and tells."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from pymongo import monitoring

from runtime.bus import Bus
from services.auth import passwords
from services.auth.attempts import network
from services.auth.passwords import Passwords
from services.auth.settings import AttemptSettings
from tests.support.auth_world import AuthWorld, auth_world, refused
from tests.support.hashing import Counting, cheap_pool
from tests.support.mongo_server import MongoServer, mongo_server
from wire.accounts import ChangePassword, Guest, Login, Register, Session
from wire.errors import ErrorCode, ParleyError

ADDRESS, ELSEWHERE = "192.0.2.1", "192.0.2.2"
PASSWORD, WRONG = "correct horse", "wrong horse"
FAILURES: Final = 3
WINDOW: Final = 900.0
LIMITS: Final = AttemptSettings(
    login_failures_per_account=FAILURES,
    login_failures_per_address=5,
    login_failure_seconds=WINDOW,
    registrations_per_address=4,
    guests_per_address=4,
)


class Asked(monitoring.CommandListener):
    """What MongoDB is asked of accounts and attempts."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, str]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """See pymongo."""
        of = event.command.get(event.command_name)
        if of in ("users", "attempts", "sessions") and event.command_name != "createIndexes":
            self.commands.append((event.command_name, of))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """See pymongo."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """See pymongo."""


asked: Final = Asked()
monitoring.register(asked)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hashing() -> AsyncIterator[Passwords]:
    """A real pool, which counts."""
    async with cheap_pool(threads=2, queue=30) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def world(bus: Bus, mongo: MongoServer, hashing: Passwords) -> AsyncIterator[AuthWorld]:
    """An account, ann's, and limits that are soon reached."""
    async with auth_world(bus, mongo, hashing, LIMITS) as made:
        await made.one.accounts.register(Register(username="Ann", password=PASSWORD, address="192.0.2.9"))
        yield made


def login(
    world: AuthWorld, password: str = WRONG, username: str = "ann", address: str = ADDRESS
) -> "asyncio.Task[Session]":
    """A sign-in, at one of the instances."""
    instance = world.other if len(password) % 2 else world.one
    return asyncio.ensure_future(
        instance.accounts.login(Login(username=username, password=password, address=address))
    )


async def fail(world: AuthWorld, times: int, *, username: str = "ann", address: str = ADDRESS) -> None:
    """So many wrong passwords."""
    for _ in range(times):
        assert (await refused(login(world, WRONG, username, address))).code == ErrorCode.UNAUTHORIZED


def assert_limited(error: ParleyError, seconds: float = WINDOW) -> None:
    """That it says when to come again."""
    assert error.code == ErrorCode.RATE_LIMITED
    assert error.retry_after is not None
    assert 0 < error.retry_after <= seconds


# --- by account -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["ann", "nobody", "no such name!", "a" * 60_000, "\ud800"])
async def test_one_failure_too_many_is_not_looked_at(world: AuthWorld, hashing: Passwords, username: str) -> None:
    """Whether anybody has the name or not; not even the right password is, and no hash is spent on it."""
    await fail(world, FAILURES, username=username)
    hasher = hashing._hasher
    assert isinstance(hasher, Counting)
    before = hasher.done
    for password in (WRONG, PASSWORD):
        assert_limited(await refused(login(world, password, username)))
        assert_limited(await refused(login(world, password, username.upper(), ELSEWHERE)))
    assert hasher.done == before


async def test_a_window_ends(world: AuthWorld) -> None:
    """`retry_after` seconds after the refusal, the account can be tried again; tries meanwhile do not prolong it."""
    await fail(world, FAILURES)
    world.later += 600
    error = await refused(login(world))
    assert_limited(error, WINDOW - 600)
    assert error.retry_after is not None
    world.later += error.retry_after
    assert await login(world, PASSWORD)
    await fail(world, FAILURES)
    assert_limited(await refused(login(world)))


async def test_the_right_password_begins_the_count_again(world: AuthWorld) -> None:
    """Who mistypes now and then is never kept out."""
    for _ in range(3):
        await fail(world, FAILURES - 1, address="")
        assert await login(world, PASSWORD, address=ELSEWHERE)
        world.later += WINDOW + 1  # of the address


async def test_other_accounts_are_not_touched(world: AuthWorld) -> None:
    """From elsewhere, all others sign in."""
    await world.one.accounts.register(Register(username="bob", password=PASSWORD, address=ADDRESS))
    await fail(world, FAILURES)
    assert await login(world, PASSWORD, "bob", ELSEWHERE)


async def test_many_at_once_get_no_further(world: AuthWorld, hashing: Passwords) -> None:
    """Through two instances: no more passwords are looked at than one after the other."""
    hasher = hashing._hasher
    assert isinstance(hasher, Counting)
    before = hasher.done
    attempts = [login(world, WRONG + "!" * number, address=f"198.51.100.{number}") for number in range(20)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    codes = [each.code for each in results if isinstance(each, ParleyError)]
    looked_at = codes.count(ErrorCode.UNAUTHORIZED)
    assert codes.count(ErrorCode.RATE_LIMITED) == 20 - looked_at
    assert 1 <= looked_at <= FAILURES
    assert hasher.done == before + looked_at
    assert_limited(await refused(login(world, PASSWORD)))


async def test_what_was_not_looked_at_does_not_count(world: AuthWorld) -> None:
    """Where all threads are busy and the queue is full, nobody is kept out for having been refused."""
    async with passwords.pool(threads=1, queue=1) as busy:
        busy._free = 0
        for instance in (world.one, world.other):
            instance.accounts._passwords = busy
        for _ in range(3 * FAILURES):
            assert_limited(await refused(login(world, PASSWORD)), 1)
        busy._free = 2
        assert await login(world, PASSWORD)


async def test_the_present_password_is_counted_as_well(world: AuthWorld) -> None:
    """With those of sign-ins, so neither way gives another try."""
    session = await login(world, PASSWORD)
    change = ChangePassword(user=session.user.id, password=WRONG, new_password=WRONG + "!", address=ADDRESS)
    for _ in range(FAILURES):
        assert (await refused(world.one.accounts.change_password(change))).code == ErrorCode.FORBIDDEN
    assert_limited(await refused(world.one.accounts.change_password(change)))
    assert_limited(await refused(login(world, PASSWORD)))


# --- by address -----------------------------------------------------------------------------------------------------


async def test_an_address_that_tries_many_accounts_is_refused(world: AuthWorld) -> None:
    """After five failures, whichever names it tries; from elsewhere the last of them can still be tried."""
    for number in range(5):
        await fail(world, 1, username=f"name{number}")
    assert_limited(await refused(login(world, PASSWORD)))
    assert await login(world, PASSWORD, address=ELSEWHERE)


async def test_success_is_no_failure_of_an_address(world: AuthWorld) -> None:
    """A whole office may sign in from one, as often as it likes."""
    for _ in range(8):
        assert await login(world, PASSWORD)


async def test_a_refused_address_keeps_nobody_else_out(world: AuthWorld) -> None:
    """What it tries then does not count against the account."""
    for number in range(5):
        await fail(world, 1, username=f"name{number}")
    for _ in range(2 * FAILURES):
        assert_limited(await refused(login(world)))
    assert await login(world, PASSWORD, address=ELSEWHERE)


async def test_a_refused_account_does_not_use_up_an_address(world: AuthWorld) -> None:
    """One device with an old password does not keep its whole office out."""
    await fail(world, FAILURES)
    for _ in range(10):
        assert_limited(await refused(login(world)))
    await world.one.accounts.register(Register(username="bob", password=PASSWORD, address=ADDRESS))
    assert await login(world, PASSWORD, "bob")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unknown", ""),
        ("192.0.2.1, 192.0.2.2", ""),
        ("x" * 60_000, ""),
    ],
)
def test_what_an_address_counts_as(address: str, counted: str) -> None:
    """One customer has a /64 of IPv6; what is no address is all one."""
    assert network(address) == counted


async def test_all_of_a_64_is_one_address(world: AuthWorld) -> None:
    """Another address of it is no other try."""
    for number in range(5):
        await fail(world, 1, username=f"name{number}", address=f"2001:db8::{number + 1:x}")
    assert_limited(await refused(login(world, PASSWORD, address="2001:db8::ffff")))
    assert await login(world, PASSWORD, address="2001:db8:0:1::1")


# --- who comes new --------------------------------------------------------------------------------------------------


async def test_an_address_makes_so_many_accounts_in_an_hour(world: AuthWorld, hashing: Passwords) -> None:
    """Names that are taken count as well, and what could be none of an account does not. No hash for one too many."""
    hasher = hashing._hasher
    assert isinstance(hasher, Counting)

    async def register(username: str, address: str = ADDRESS) -> Session:
        return await world.one.accounts.register(Register(username=username, password=PASSWORD, address=address))

    for _ in range(10):
        assert (await refused(register("x"))).code == ErrorCode.INVALID
    for number in range(3):
        await register(f"name{number}")
    assert (await refused(register("name0"))).code == ErrorCode.INVALID
    before = hasher.done
    assert_limited(await refused(register("name4")), 3600)
    assert hasher.done == before
    await register("name5", ELSEWHERE)
    world.later += 3601
    await register("name4")


async def test_an_address_brings_so_many_guests_in_an_hour(world: AuthWorld) -> None:
    """And nothing is stored of one too many."""

    async def guest(address: str = ADDRESS) -> Session:
        return await world.one.accounts.guest(Guest(display_name="Bob", address=address))

    for _ in range(4):
        await guest()
    before = len(await world.stored("sessions"))
    assert_limited(await refused(guest()), 3600)
    assert len(await world.stored("sessions")) == before
    await guest(ELSEWHERE)
    world.later += 3601
    await guest()


# --- what is told, and what is kept ---------------------------------------------------------------------------------


async def test_a_name_that_nobody_has_takes_as_many_steps(world: AuthWorld, hashing: Passwords) -> None:
    """The same questions to the database in the same order, and one hash: from the first failure to the refusals."""
    hasher = hashing._hasher
    assert isinstance(hasher, Counting)
    seen: list[tuple[list[tuple[str, str]], int]] = []
    for username in ("ann", "nobody"):
        asked.commands.clear()
        before = hasher.done
        for _ in range(FAILURES + 2):
            await refused(login(world, WRONG, username, f"203.0.113.{len(seen)}"))
        seen.append((list(asked.commands), hasher.done - before))
    assert seen[0] == seen[1]
    assert seen[0][1] == FAILURES
    assert ("find", "users") in seen[0][0]


async def test_what_was_typed_as_a_name_is_not_kept(world: AuthWorld) -> None:
    """People type passwords there."""
    await fail(world, 1, username="hunter2-secret")
    assert "hunter2" not in repr(await world.stored("attempts"))


async def test_counts_are_gone_some_time_after_their_window(world: AuthWorld) -> None:
    """MongoDB removes them; nothing that is checked relies on when."""
    await fail(world, 1)
    indexes = await world.mongo["attempts"].index_information()
    assert any(each.get("expireAfterSeconds") == 0 for each in indexes.values())


async def test_no_limit_keeps_no_count(bus: Bus, mongo: MongoServer, hashing: Passwords) -> None:
    """0 of each."""
    async with auth_world(bus, mongo, hashing) as world:
        await world.one.accounts.register(Register(username="Ann", password=PASSWORD, address=ADDRESS))
        await fail(world, 20)
        assert await login(world, PASSWORD)
        assert not await world.stored("attempts")


async def test_without_a_database_nobody_may_try(hashing: Passwords, bus: Bus) -> None:
    """Unavailable, rather than uncounted."""
    async with mongo_server() as server, auth_world(bus, server, hashing, LIMITS) as world:
        hasher = hashing._hasher
        assert isinstance(hasher, Counting)
        before = hasher.done
        await server.kill()
        attempts = (
            login(world),
            world.one.accounts.register(Register(username="bob", password=PASSWORD, address=ADDRESS)),
            world.one.accounts.guest(Guest(display_name="Bob", address=ADDRESS)),
        )
        errors = await asyncio.gather(*map(refused, attempts))
        assert [each.code for each in errors] == [ErrorCode.UNAVAILABLE] * len(attempts)
        assert hasher.done == before
