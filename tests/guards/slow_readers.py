"""Guards: clients that are sent more than they read."""

import asyncio
from contextlib import AsyncExitStack

from tests.guards.guard import FLOOD, comes, is_over
from tests.guards.peers import Polling, Raw, polling, websocket
from tests.guards.target import Target
from tests.support.waiting import until


async def slow_websocket(target: Target) -> None:
    """A WebSocket that is sent 16 MiB and reads nothing is closed, others are not, and nothing of it stays."""
    async with websocket(target) as other, websocket(target, slow=True) as peer:
        for _ in range(2):
            peer.packet(FLOOD)
        assert await is_over(target)
        assert await comes(target, lambda: len(target.server.eio.sockets) == 1)
        other.packet('421["echo",1]')
        await other.until(b"431[1]")


async def stalled_websocket(target: Target) -> None:
    """One that is owed less than the bound, and reads none of it, is closed as well."""
    async with websocket(target, slow=True) as peer:
        for _ in range(200):
            peer.packet('42["flood",1,24576]')
            await asyncio.sleep(0.005)
        assert await is_over(target)


async def slow_polling(target: Target) -> None:
    """A session that is sent 8 MiB and never polls ends."""
    async with polling(target) as session:
        await session.post(FLOOD)
        assert await is_over(target)
        assert await comes(target, lambda: not target.server.eio.sockets)


async def polling_that_leaves_the_rest(target: Target) -> None:
    """Also when a poll takes the first packets of the flood."""
    async with polling(target) as session:
        before = len(target.requests)
        poll = asyncio.ensure_future(session.poll())
        await until(lambda: len(target.requests) > before, "the poll to begin")
        assert await session.post('42["flood",20,64]') == 200
        assert (await poll)[0] == 200
        await session.post(FLOOD)
        assert await is_over(target)


async def polls_whose_answers_nobody_reads(target: Target) -> None:
    """A client that polls again and again, and reads nothing of it, is as slow as any other: nothing of it stays."""
    poll = "GET /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: x\r\n\r\n"
    async with polling(target) as session, Raw(target, receives=4096) as peer:

        async def is_served(polls: int) -> bool:
            # The kernel takes the first few MiB; after that the next poll is not even looked at.
            before = len(target.requests)
            await session.post('42["flood",7,32768]')
            peer.send(poll.format(session.sid))
            done = ("flooded", "disconnect")
            await comes(target, lambda: sum(map(target.names().count, done)) >= polls)
            return await comes(target, lambda: len(target.requests) == before + 2 or "disconnect" in target.names())

        for polls in range(1, 100):
            if "disconnect" in target.names() or not await is_served(polls):
                break
        assert await is_over(target)
        assert await peer.ends()


async def slow_readers_together(target: Target) -> None:
    """What waits for all is bounded too: those who are furthest behind go, the others stay."""
    async with AsyncExitStack() as stack:
        sessions: list[Polling] = [await stack.enter_async_context(polling(target)) for _ in range(8)]
        for number, session in enumerate(sessions):
            await session.post(f'42["flood",1,{200_000 + number}]')
        assert await is_over(target)
        await comes(target, lambda: target.names().count("flooded") == len(sessions))
        assert 4 <= len(target.server.eio.sockets) < len(sessions)
