"""Messages and the bucket of clients' sessions: the one does not wait for the other."""

import nats
from nats.js.api import StorageType
from nats.js.errors import NotFoundError

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire import streams

SAID = 5
REFUSED = "no bucket of sessions"


async def test_messages_are_persisted_while_the_bucket_cannot_be_made(own_stack: TestStack) -> None:
    """An operator made it with other storage: history is ready and persists; once that is gone, it is made."""
    stack, room = own_stack, unique("bucket")
    history = stack.children["history"]
    await history.stop()
    operator = await nats.connect(stack.nats_url)
    jetstream = operator.jetstream()
    try:
        await jetstream.delete_stream(streams.KEPT_SESSIONS)
        await jetstream.add_stream(streams.kept_sessions(replicas=1).evolve(storage=StorageType.MEMORY))
        await history.start()
        await stack.ready("history")
        async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
            await client.join(room)
            for number in range(SAID):
                assert (await client.say(room, f"m{number}"))["ok"]

            async def all_persisted() -> bool:
                return await stack.metric("history", "parley_history_persisted_messages_total") == SAID

            await until(all_persisted, "all to be persisted")
        assert (await jetstream.stream_info(streams.KEPT_SESSIONS)).config.storage == StorageType.MEMORY
        assert len([line for line in stack.output if REFUSED in line]) == 1
        await jetstream.delete_stream(streams.KEPT_SESSIONS)

        async def is_made() -> bool:
            try:
                return (await jetstream.stream_info(streams.KEPT_SESSIONS)).config.storage == StorageType.FILE
            except NotFoundError:
                return False

        await until(is_made, "the bucket")
    finally:
        await operator.close()
    assert "persisting interrupted" not in "".join(stack.output)
    assert await history.stop() == 0
