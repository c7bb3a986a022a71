"""One run: a crowd talks, a fault happens at a random moment, everything heals, and the checker judges."""

import asyncio
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from checker.account import Account
from checker.judge import Verdict, judge
from deploy.local.process import StackError
from tests.faults.suite import history
from tests.faults.suite.arena import Arena
from tests.faults.suite.crowd import Crowd
from tests.faults.suite.fault import Blow, Fault
from tests.support.waiting import until

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Plan:
    """How large a run is, and how long its members talk at least, in seconds."""

    members: int
    rate: float
    seconds: float
    is_short: bool

    @property
    def heal_seconds(self) -> float:
        """How long anything may take to be well again: more than twice QUIET_CHECK_SECONDS."""
        return 40.0 if self.is_short else 90.0

    @property
    def strike_seconds(self) -> float:
        """How long a fault may last."""
        return 75.0 if self.is_short else 150.0

    @property
    def officials(self) -> int:
        """How many members are on either official client: a process for each of JavaScript's."""
        return 1 if self.is_short else 2

    @property
    def drain_seconds(self) -> float:
        """How long a gateway takes to close its connections."""
        return 3.0 if self.is_short else 10.0

    @property
    def environ(self) -> Mapping[str, str]:
        """Settings of the services."""
        return {
            "DRAIN_SECONDS": str(self.drain_seconds),
            "PUBLISH_TIMEOUT_SECONDS": "2" if self.is_short else "5",
            "QUIET_CHECK_SECONDS": "5" if self.is_short else "20",
        }


SHORT: Final = Plan(members=12, rate=60, seconds=2, is_short=True)
"""What runs in `make test`."""


@dataclass(frozen=True)
class Result:
    """What came of it."""

    fault: str
    seed: int
    account: Account
    verdict: Verdict
    reconnects: int
    recoveries: int
    """How many of these got their session back."""
    resends: int
    longest_silence: float
    """Of any member, in seconds."""
    longest_absence: float
    """The same: from the loss of its connection until it was in all of its rooms again."""
    troubles: list[str]
    """Whatever went wrong that is no matter of the checker's."""

    @property
    def is_good(self) -> bool:
        """Whether the promise held, and nothing else went wrong."""
        return self.verdict.holds and not self.troubles


def not_run(fault: Fault, seed: int, why: str) -> Result:
    """What comes of a fault that there was no ground for."""
    nothing = Account()
    return Result(fault.name, seed, nothing, judge(nothing), 0, 0, 0, 0.0, 0.0, [why])


async def run(fault: Fault, arena: Arena, plan: Plan, seed: int) -> Result:
    """Let `fault` happen to `arena`, which is well before and afterwards unless the result says otherwise."""
    rng = random.Random(f"{fault.name} {seed}")
    tokens = [await arena.stack.token() for _ in range(plan.members)]
    name = f"{fault.name}-{next(_numbers)}"
    crowd = Crowd(name, arena.url, tokens, rng, rate=plan.rate, officials=plan.officials)
    arena.door.rng = random.Random(rng.random())
    try:
        async with crowd:
            troubles = await _struck(Blow(arena, crowd, rng, plan.is_short), fault, plan)
            troubles = troubles or await _settled(arena, crowd, plan)
            troubles += await _history_read(arena, crowd, tokens[0])
            troubles += crowd.outsiders()
            verdict = judge(crowd.ledger.account)
    except Exception as error:  # noqa: BLE001 - whatever it is: the result is bad, and says so
        troubles, verdict = [described(error)], judge(crowd.ledger.account)
    if fault.absence_most is not None and crowd.longest_absence > (most := fault.absence_most(plan.drain_seconds)):
        troubles.append(f"a member was away for {crowd.longest_absence:.1f} s, and {most} s is the most")
    troubles += [*crowd.complaints, *arena.troubles]
    arena.troubles.clear()
    return Result(
        fault=fault.name,
        seed=seed,
        account=crowd.ledger.account,
        verdict=verdict,
        reconnects=crowd.reconnects,
        recoveries=crowd.recoveries,
        resends=crowd.resends,
        longest_silence=crowd.longest_silence,
        longest_absence=crowd.longest_absence,
        troubles=troubles,
    )


async def _struck(blow: Blow, fault: Fault, plan: Plan) -> list[str]:
    """Talk, strike, heal; returns what did not work."""
    crowd, troubles = blow.crowd, []
    talking = asyncio.create_task(crowd.talk())
    enough = asyncio.create_task(asyncio.sleep(plan.seconds))
    try:
        await until(lambda: len(crowd.ledger.account.acknowledged) > len(crowd.members), "everybody to talk")
        await blow.moment()
        async with asyncio.timeout(plan.strike_seconds), crowd.whispering():
            await fault.strike(blow)
        async with asyncio.timeout(plan.heal_seconds):
            await blow.arena.healed()
        await crowd.is_inside(plan.heal_seconds)
        await blow.moment()
        await enough
        for each in crowd.members:
            each.diary.hush()
        crowd.stop_talking()
        async with asyncio.timeout(plan.heal_seconds):
            await talking
    except (StackError, AssertionError, TimeoutError) as error:
        troubles.append(described(error))
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    return troubles


async def _settled(arena: Arena, crowd: Crowd, plan: Plan) -> list[str]:
    """Wait until all that was said has arrived, and is in MongoDB; returns what did not work.

    What a process held and did not acknowledge is delivered again after half a minute, so a short cut does not wait
    for MongoDB: a page of history is to be complete without that.
    """

    async def is_persisted() -> bool:
        return await arena.stack.metric("history", "parley_history_lag_messages") == 0

    try:
        await until(crowd.has_all, "everything to arrive", seconds=plan.heal_seconds)
        if not plan.is_short:
            await until(is_persisted, "history to catch up", seconds=plan.heal_seconds, every=0.5)
    except (AssertionError, OSError) as error:
        return [described(error), *crowd.behind()]
    return []


async def _history_read(arena: Arena, crowd: Crowd, token: str) -> list[str]:
    """Put the whole history of all rooms into the account; returns what did not work."""
    try:
        read = await history.read(arena.stack.gateway_urls[0], token, crowd.ledger.rooms)
        crowd.ledger.account.history.update(read)
    except AssertionError as error:
        return [described(error)]
    return []


def described(error: Exception) -> str:
    """In one line."""
    return f"{type(error).__name__}: {error}"
