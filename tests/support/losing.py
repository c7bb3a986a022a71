"""Messages that NATS stores, and loses on their way to the gateways."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.js.api import RePublish

from tests.support.stacks import TestStack
from wire import streams, subjects


@asynccontextmanager
async def nothing_live(stack: TestStack) -> AsyncIterator[None]:
    """What is stored is not republished while the block runs, so it is lost for everybody who listens."""
    async with stack.nats() as client:

        async def republish(to: str | None) -> None:
            config = (await client.jetstream().stream_info(streams.MESSAGES)).config
            config.republish = None if to is None else RePublish(src=subjects.STORED_MESSAGES, dest=to)
            await client.jetstream().update_stream(config)

        await republish(None)
        yield
        await republish(subjects.REPUBLISHED_MESSAGES)
