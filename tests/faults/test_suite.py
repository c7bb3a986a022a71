"""A short cut of every fault of `make faults`, and that the suite would see a promise that is broken."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import SystemRandom

import nats
import pytest
import pytest_asyncio

from checker.judge import Kind
from tests.faults.suite import table
from tests.faults.suite.arena import Arena
from tests.faults.suite.catalogue import FAULTS
from tests.faults.suite.crowd import MEMBERS_A_ROOM
from tests.faults.suite.fault import Blow, Ground, fault
from tests.faults.suite.run import SHORT, run

_FORGED = b'{"type":"message","id":"forged","from":{"id":"u","display_name":"U"},"body":"x","ts":1}'


class Arenas:
    """One of each ground, made when it is first needed; one that was not well after a fault is not used again."""

    def __init__(self) -> None:
        self._open: dict[Ground, tuple[Arena, AsyncExitStack]] = {}

    async def of(self, ground: Ground) -> Arena:
        """The arena on this ground."""
        if ground not in self._open:
            exits = AsyncExitStack()
            self._open[ground] = await exits.enter_async_context(ground(SHORT.environ)), exits
        return self._open[ground][0]

    async def close(self, ground: Ground) -> None:
        """Let the next who needs this ground have a new one."""
        _, exits = self._open.pop(ground)
        await exits.aclose()

    async def close_all(self) -> None:
        """At the end."""
        for each in tuple(self._open):
            await self.close(each)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def arenas() -> AsyncIterator[Arenas]:
    """Shared by all tests here: what one fault left behind, the next would suffer from."""
    made = Arenas()
    yield made
    await made.close_all()


@pytest.mark.parametrize("name", FAULTS)
async def test_the_promise_holds_through(arenas: Arenas, name: str) -> None:
    """Every member sees every acknowledged message once and in order, whatever broke meanwhile."""
    struck = FAULTS[name]
    if struck.needs_root and os.geteuid():
        pytest.skip(f"needs root: {name} is NOT tested")
    arena = await arenas.of(struck.ground)
    result = await run(struck, arena, SHORT, SystemRandom().randrange(100_000))
    print(table.HEAD, table.row(result), sep="\n")
    if not result.is_good:
        print(*arena.stack.output[-200:], sep="\n")
        await arenas.close(struck.ground)
    assert result.is_good, table.details(result)


async def test_a_promise_that_is_broken_is_seen(arenas: Arenas) -> None:
    """A message that no member sent is a violation, for each who sees it and in history."""

    @fault()
    async def forged(blow: Blow) -> None:
        client = await nats.connect(blow.arena.stack.nats_url)
        try:
            await client.jetstream().publish(f"chat.room.{blow.crowd.members[0].rooms[0]}.message", _FORGED)
        finally:
            await client.close()

    result = await run(forged, await arenas.of(forged.ground), SHORT, 1)
    assert not result.is_good
    assert result.verdict.counts == {Kind.UNKNOWN: MEMBERS_A_ROOM + 1}
    assert table.row(result).endswith("BAD")
