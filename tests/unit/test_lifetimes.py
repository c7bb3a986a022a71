"""How long a connection lives: by the clock on the wall, and by the token that counts."""

import time
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

import pytest
import pytest_asyncio

from services.gateway.connection import Connection
from services.gateway.edge import wheel
from services.gateway.fanout import FanOut
from services.gateway.lifetimes import Lifetimes
from services.gateway.revocations import Revocations
from services.gateway.roster import Roster
from tests.support.edge import Clockwork, Wire, connection
from wire.accounts import Verified
from wire.control import SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError

START = 1_000_000.0


class _World:
    """Lifetimes whose wheel turns on a clock of the test's, and which see `now` on the wall."""

    def __init__(self, clock: Clockwork) -> None:
        self.clock = clock
        self.offset = START
        self.tokens: dict[str, Verified] = {}
        self.revocations = Revocations()
        self.dismissed: list[Connection] = []
        self.roster = Roster()
        self.lifetimes = Lifetimes(self, self.roster, FanOut(0), self.dismissed.append)  # type: ignore[arg-type]

    async def bearer(self, token: str) -> Verified:
        """See `Auth`."""
        return self.tokens[token]

    @property
    def now(self) -> float:
        """On the wall."""
        return self.clock.now + self.offset

    def wall_clock(self) -> float:
        """See `time.time`."""
        return self.now

    def enter(self, seconds: float) -> tuple[Connection, Wire]:
        """A connection whose token expires in so many seconds."""
        made, wire = connection()
        made.bearer = self.token(made, seconds)
        self.lifetimes.begin(made)
        return made, wire

    def token(self, of: Connection, seconds: float) -> Verified:
        """Another of the same user."""
        return Verified(of.bearer.user, f"s-{of.id}", int(self.now + seconds), int(self.now * 1000))


@pytest_asyncio.fixture(loop_scope="session")
async def world() -> AsyncIterator[_World]:
    """Nothing in it yet."""
    clock = Clockwork()
    clock.now = 0.0
    with mock.patch.object(wheel, "asyncio", clock):
        made = _World(clock)
        with mock.patch.object(time, "time", made.wall_clock):
            yield made


def _expiring(wire: Wire) -> list[Any]:
    return [each for each in wire.packets if '"expiring"' in str(each)]


@pytest.mark.parametrize(("seconds", "ahead"), [(600, 60), (100, 25), (8, 2)])
async def test_a_connection_is_told_ahead_and_ends_in_time(world: _World, seconds: int, ahead: int) -> None:
    """A minute before, or a quarter of its life: once; then it ends, within a second of its token."""
    one, wire = world.enter(seconds)
    world.clock.pass_time(seconds - ahead - 1)
    assert not _expiring(wire)
    world.clock.pass_time(2)
    assert len(_expiring(wire)) == 1
    world.clock.pass_time(ahead - 2)
    assert one.is_open
    world.clock.pass_time(2)
    assert not one.is_open
    assert len(_expiring(wire)) == 1


async def test_the_newest_token_counts(world: _World) -> None:
    """However often it is refreshed; what was due for the tokens before does nothing."""
    one, wire = world.enter(100)
    for _ in range(5):
        world.clock.pass_time(80)
        assert len(_expiring(wire)) == 1
        wire.writes.clear()
        world.tokens["next"] = world.token(one, 100)
        assert await world.lifetimes.lengthen(one, "next") == 100
    world.clock.pass_time(99)
    assert one.is_open
    world.clock.pass_time(2)
    assert not one.is_open
    assert one.alarms == 0


async def test_a_shorter_token_counts_too(world: _World) -> None:
    """What was promised before is of no interest."""
    one, _ = world.enter(600)
    world.tokens["next"] = world.token(one, 50)
    await world.lifetimes.lengthen(one, "next")
    world.clock.pass_time(51)
    assert not one.is_open


async def test_another_users_token_changes_nothing(world: _World) -> None:
    """It is refused."""
    one, _ = world.enter(100)
    other, _ = world.enter(100)
    world.tokens["other"] = world.token(other, 1000)
    before = one.bearer
    with pytest.raises(ParleyError) as refused:
        await world.lifetimes.lengthen(one, "other")
    assert refused.value.code is ErrorCode.FORBIDDEN
    assert one.bearer is before


@pytest.mark.parametrize("step", [-500.0, 500.0])
async def test_a_clock_that_is_set(world: _World, step: float) -> None:
    """Counts: a token expires by the clock on the wall, which is looked at often enough, however far its end is."""
    one, _ = world.enter(100 if step < 0 else 500)
    world.clock.pass_time(10)
    world.offset += step
    world.clock.pass_time(89 if step < 0 else 30)
    assert one.is_open == (step < 0)
    world.clock.pass_time(2 - min(step, 0))
    assert not one.is_open


async def test_a_process_that_was_stopped_ends_what_has_expired_at_once(world: _World) -> None:
    """A token does not live longer because nobody looked."""
    one, _ = world.enter(100)
    world.clock.now += 1000
    world.clock.pass_time(1)
    assert not one.is_open


async def test_whoever_is_revoked_is_dismissed(world: _World) -> None:
    """By session or by user; nobody else is."""
    one, _ = world.enter(100)
    two, _ = world.enter(100)
    three, _ = world.enter(100)
    world.lifetimes.on_revoked(
        SessionRevoked(session=one.bearer.session, user=one.bearer.user.id, until=int(world.now))
    )
    assert world.dismissed == [one]
    world.lifetimes.on_revoked(UserRevoked(user=two.bearer.user.id, before=int(world.now * 1000) - 1))
    assert world.dismissed == [one]
    world.lifetimes.on_revoked(UserRevoked(user=two.bearer.user.id, before=int(world.now * 1000)))
    assert world.dismissed == [one, two]
    world.lifetimes.end(three)
    world.lifetimes.on_revoked(UserRevoked(user=three.bearer.user.id, before=int(world.now * 1000)))
    assert world.dismissed == [one, two]


async def test_who_has_ended_is_let_go_of(world: _World) -> None:
    """Soon, however long the token would have been good for: tokens last for up to a day, and many come and go."""
    one, _ = world.enter(86_400)
    world.lifetimes.end(one)
    one.has_ended = True
    world.clock.pass_time(30)
    assert one.alarms == 0
    assert not world.lifetimes._wheel._slots
