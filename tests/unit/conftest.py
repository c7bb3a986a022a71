"""Real servers for unit tests of what needs one, each for a module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from runtime.bus import Bus
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.nats_server import connected, nats_server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mongo() -> AsyncIterator[MongoServer]:
    """A database."""
    async with mongo_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server without any stream."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection
