"""History without its indexes: it writes nothing, and what waits meanwhile grows old for all to see."""

from typing import Any

from pymongo import MongoClient

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def test_history_waits_for_its_indexes(own_stack: TestStack) -> None:
    """Without them what comes again would be there twice: nothing is written until the step was run."""
    stack, history, room = own_stack, own_stack.children["history"], unique("indexes")
    await history.stop()
    client: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_url_of("root"))
    with client:
        client["parley_history"]["messages"].drop_indexes()
    await history.start()
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as one:
        await one.join(room)
        assert (await one.say(room, "m"))["ok"]
        await until(lambda: any("an index in MongoDB is missing" in line for line in stack.output), "it to be told")
        assert not await stack.is_ready("history")
        assert await stack.metric("history", "parley_history_persisted_messages_total") == 0

        async def is_late() -> bool:
            return await stack.metric("history", "parley_history_lag_seconds") > 1

        await until(is_late, "what nobody fetches to grow old")
        await stack.setup()
        await stack.ready("history")

        async def is_persisted() -> bool:
            return await stack.metric("history", "parley_history_persisted_messages_total") == 1

        await until(is_persisted, "it to be persisted")

        async def is_up_to_date() -> bool:
            return await stack.metric("history", "parley_history_lag_seconds") == 0

        await until(is_up_to_date, "nothing to wait any more")
