"""A deployment that runs already, for all runs of a file, and what a run is told of it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.load_runs import given
from tests.support.stacks import TestStack

_USERS = 200


class Running(NamedTuple):
    """A stack, and a file of tokens."""

    stack: TestStack
    tokens: Path


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """It runs."""
    folder = tmp_path_factory.mktemp("there")
    async with TestStack(folder / "stack") as stack:
        tokens = folder / "tokens"
        tokens.write_text("\n".join(await stack.mint(_USERS)))
        yield Running(stack, tokens)


@pytest.fixture(scope="module")
def there(running: Running) -> list[str]:
    """The arguments for it."""
    return given(running.stack.gateway_urls, running.tokens)


@pytest.fixture(scope="module")
def watched(running: Running) -> list[str]:
    """The same, and where its gateways' metrics are."""
    return given(running.stack.gateway_urls, running.tokens, metrics=running.stack.metrics_urls)
