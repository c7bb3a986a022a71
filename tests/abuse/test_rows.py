"""Each input comes to what it has to, and leaves the gateway as it was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
import pytest_asyncio

from tests.abuse import (
    access,
    backends,
    floods,
    frames,
    handshakes,
    http_heads,
    ids,
    origins,
    packets,
    polling,
    rooms,
    sign_in,
    slow_ones,
    tokens,
    values,
)
from tests.abuse.ground import Ground, ground
from tests.abuse.rows import Row

ROWS = [
    each
    for module in (
        http_heads,
        handshakes,
        origins,
        polling,
        rooms,
        frames,
        packets,
        ids,
        values,
        tokens,
        sign_in,
        access,
        backends,
        floods,
        slow_ones,
    )
    for each in module.ROWS
]
QUICK = [each for each in ROWS if not each.slow]
SLOW = [each for each in ROWS if each.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="ground")
async def _ground() -> AsyncIterator[Ground]:
    async with ground() as prepared:
        yield prepared


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def outcomes(ground: Ground) -> AsyncIterator[dict[str, asyncio.Task[str]]]:
    """What comes of all the slow ones, sent at once; but the floods in turn, or they hold up those with limits."""
    turns = asyncio.Semaphore(2)

    async def outcome(row: Row) -> str:
        async with turns if row in floods.ROWS else nullcontext():
            return await row.send(ground.stranger())

    tasks = {row.name: asyncio.ensure_future(outcome(row)) for row in SLOW}
    try:
        yield tasks
    finally:
        await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
async def test_an_input_is_answered_and_leaves_nothing_behind(ground: Ground, row: Row) -> None:
    """Its answer is the one that the table says; the same process serves others, with the memory it had before."""
    assert await ground.try_out(row) == row.expected
    await ground.is_well()


@pytest.mark.parametrize("row", SLOW, ids=lambda row: row.name)
async def test_what_takes_its_time_ends_as_well(
    ground: Ground, outcomes: dict[str, asyncio.Task[str]], row: Row
) -> None:
    """Within the limits that the edge sets to everybody; others are served meanwhile."""
    assert await outcomes[row.name] == row.expected
    await ground.serves_side_by_side()


async def test_after_all_of_it_nothing_is_left(ground: Ground) -> None:
    """Neither connections, nor memory, nor series; and no token, password or body of a message is in any log."""
    await ground.is_well()
    await ground.has_few_series()
    ground.has_grown_little()
    ground.has_kept_secrets()


def test_the_inputs_are_many_and_distinct() -> None:
    """At least ninety, no name twice."""
    names = [each.name for each in ROWS]
    assert len(names) >= 90
    assert len(set(names)) == len(names)
