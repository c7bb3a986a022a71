"""A short cut of every fault of `make faults`, and that the suite would see a promise that is broken."""

import asyncio
import gc
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from random import SystemRandom
from typing import Final

import pytest
import pytest_asyncio

from checker.judge import Kind
from tests.faults.suite import privileges, table
from tests.faults.suite.arena import Arena, one_nats
from tests.faults.suite.catalogue import FAULTS
from tests.faults.suite.command import keep
from tests.faults.suite.fault import Blow, Fault, Ground, fault
from tests.faults.suite.run import SHORT, Result, run
from tests.faults.suite.seats import MEMBERS_A_ROOM

# The Python clients leave their old sockets to the collector when they connect again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

_FORGED: Final = b'{"type":"message","id":"forged","from":{"id":"u","display_name":"U"},"body":"x","ts":1}'
_AT_ONCE: Final = 3
"""Stacks on which something breaks at the same time: most of what the suite does is waiting."""

_SHOWN_MOST: Final = 200
"""Lines of what the processes said; a folder has the others."""

Outcome = tuple[Result, list[str]]
"""What came of a fault, and what its processes said if that was not good."""


@fault()
async def forged(blow: Blow) -> None:
    """A message that no member sent."""
    async with blow.arena.stack.nats("gateway") as client:
        await client.jetstream().publish(f"chat.room.{blow.crowd.members[0].rooms[0]}.message", _FORGED)


class Outcomes:
    """Of `faults`, of which those on the same ground share a stack, one after the other, and others run beside."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        loop = asyncio.get_running_loop()
        self._of: dict[str, asyncio.Future[Outcome]] = {each.name: loop.create_future() for each in faults}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        chains: defaultdict[Ground, list[Fault]] = defaultdict(list)
        for each in faults:
            chains[each.ground].append(each)
        usual = chains.pop(one_nats, [])  # by far the most: two chains
        halves = [chain for chain in (usual[::2], usual[1::2]) if chain]
        self._running = {asyncio.create_task(self._run(each)): each for each in (*halves, *chains.values())}

    async def of(self, fault: Fault) -> Outcome:
        """Raises what it raised."""
        return await self._of[fault.name]

    async def close(self) -> None:
        """End what still runs."""
        for running, chain in self._running.items():
            if not all(self._of[each.name].done() for each in chain):  # else it is ending its stack
                running.cancel()
        for outcome in self._of.values():
            outcome.cancel()
        for error in await asyncio.gather(*self._running, return_exceptions=True):
            if isinstance(error, Exception):
                raise error

    async def _run(self, chain: Iterable[Fault]) -> None:
        rest = deque(chain)
        async with self._slots:
            try:
                while rest:
                    await self._run_some(rest)
            finally:
                for each in rest:
                    self._fail(each, RuntimeError("the stack of the fault before it could not be ended"))

    async def _run_some(self, rest: deque[Fault]) -> None:
        """Make a ground; let them happen there until one was not good: nor is the stack, perhaps."""
        first = rest[0]
        try:
            async with first.ground(SHORT.environ) as arena:
                while rest and await self._is_good(rest.popleft(), arena):
                    pass
        except Exception as error:
            if self._of[first.name].done():
                raise
            self._fail(rest.popleft(), error)

    async def _is_good(self, fault: Fault, arena: Arena) -> bool:
        try:
            result = await run(fault, arena, SHORT, SystemRandom().randrange(100_000))
        except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - the test that waits for it gets it
            self._fail(fault, error)
            return False
        self._of[fault.name].set_result((result, [] if result.is_good else arena.output))
        return result.is_good

    def _fail(self, fault: Fault, error: BaseException) -> None:
        if not self._of[fault.name].done():
            self._of[fault.name].set_exception(error)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outcomes(request: pytest.FixtureRequest) -> AsyncIterator[Outcomes]:
    """Of the faults whose tests are to run; all begin with the first of these."""
    names = {
        item.callspec.params["name"]
        for item in request.session.items
        if hasattr(item, "callspec") and item.fspath == request.node.fspath
    }
    wanted = [each for each in FAULTS.values() if each.name in names and not privileges.lacking(each)]
    made = Outcomes([*wanted, *([] if privileges.lacking(forged) else [forged])])
    yield made
    await made.close()
    gc.collect()


@pytest.mark.parametrize("name", FAULTS)
async def test_the_promise_holds_through(outcomes: Outcomes, name: str) -> None:
    """Every member sees every acknowledged message once and in order, whatever broke meanwhile."""
    if lacking := privileges.lacking(FAULTS[name]):
        pytest.skip(f"{lacking}: {name} is NOT tested")
    result, output = await outcomes.of(FAULTS[name])
    print(table.HEAD, table.row(result), sep="\n")
    if not result.is_good:
        print(*output[-_SHOWN_MOST:], f"all of it is kept in {keep(result, output)}", sep="\n")
    assert result.is_good, table.details(result)


async def test_a_promise_that_is_broken_is_seen(outcomes: Outcomes) -> None:
    """A message that no member sent is a violation, for each who sees it and in history."""
    if lacking := privileges.lacking(forged):
        pytest.skip(f"{lacking}: whether the suite sees anything is NOT tested")
    result, _ = await outcomes.of(forged)
    assert not result.is_good
    assert result.verdict.counts == {Kind.UNKNOWN: MEMBERS_A_ROOM + 1}
    assert table.row(result).endswith("BAD")
