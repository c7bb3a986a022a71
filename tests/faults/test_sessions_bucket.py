"""Messages and the bucket of clients' sessions: the one does not wait for the other."""

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

SAID = 5


async def test_messages_are_persisted_without_the_bucket(own_stack: TestStack) -> None:
    """It was lost: history is ready and persists, also after it was started again."""
    stack, room = own_stack, unique("bucket")
    async with stack.nats() as operator:
        await operator.jetstream().delete_stream(streams.KEPT_SESSIONS)
    await stack.children["history"].stop()
    await stack.children["history"].start()
    await stack.ready("history")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        for number in range(SAID):
            assert (await client.say(room, f"m{number}"))["ok"]

        async def all_persisted() -> bool:
            return await stack.metric("history", "parley_history_persisted_messages_total") == SAID

        await until(all_persisted, "all to be persisted")
    assert "persisting interrupted" not in "".join(stack.output)
