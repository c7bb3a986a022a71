"""Guards: upgrades, polls and requests that are not as they ought to be."""

import asyncio
import contextlib

import aiohttp

from tests.guards.guard import comes, is_over
from tests.guards.peers import Raw, polling, websocket
from tests.guards.target import Target
from tests.support.waiting import until


async def upgrade_without_probe(target: Target) -> None:
    """A WebSocket that says that it will take over, and is silent then, is closed; the session goes on."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as peer:
        assert await peer.ends()
        assert await session.post('42["echo",1]') == 200
        assert await comes(target, lambda: ("echo", 1) in target.told)


async def upgrade_that_stops_half_way(target: Target) -> None:
    """So is one that probes, and then does not take over; and the session goes on."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as peer:
        peer.packet("2probe")
        await peer.until(b"3probe")
        assert await peer.ends()
        assert await session.post('42["echo",1]') == 200
        assert await comes(target, lambda: ("echo", 1) in target.told)


async def second_upgrade(target: Target) -> None:
    """While one WebSocket is about to take over, no other can."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as first:
        first.packet("2probe")
        await first.until(b"3probe")
        async with websocket(target, connected=False, sid=session.sid) as second:
            second.packet("2probe")
            first.packet("5")
            first.packet('42["echo",1]')
            assert await comes(target, lambda: ("echo", 1) in target.told)
            assert await second.ends()


async def two_polls(target: Target) -> None:
    """A session that is polled twice at a time ends."""
    async with polling(target) as session:
        answers = await asyncio.gather(session.poll(), session.poll())
        assert 400 in {status for status, _ in answers}
        assert await is_over(target)


async def two_posts(target: Target) -> None:
    """So does one that is sent two payloads at a time: one that comes slowly, and another."""
    async with polling(target) as session, Raw(target) as slow:
        before = len(target.requests)
        slow.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n")
        slow.send("Content-Length: 10\r\n\r\n4")
        await until(lambda: len(target.requests) > before, "the slow one to begin")
        assert await session.post("6") == 400
        assert await is_over(target)


async def poll_that_hangs_up(target: Target) -> None:
    """A client that hangs up on its poll, perhaps with an answer on its way, is gone."""
    async with polling(target) as session:
        before = len(target.requests)
        async with Raw(target) as peer:
            peer.send(f"GET /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: len(target.requests) > before, "the poll to begin")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await peer.reader.read(1)
        assert await is_over(target)


async def chunked_payload(target: Target) -> None:
    """A payload of unknown length is refused, or taken: not accepted and lost."""
    async with polling(target) as session, Raw(target) as peer:
        peer.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n")
        peer.send('Transfer-Encoding: chunked\r\n\r\nc\r\n42["echo",1]\r\n0\r\n\r\n')
        answer = await peer.until(b"\r\n\r\n")
        assert b" 411 " in answer or await comes(target, lambda: "echo" in target.names())


async def forged_host(target: Target) -> None:
    """A page of another site does not get in by saying which host a proxy has seen."""
    forged = {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{target.url}polling", headers=forged) as response,
    ):
        assert response.status == 400


async def request_kept(target: Target) -> None:
    """The request of a handshake is not kept for the connection's life."""
    async with websocket(target):
        assert target.requests
        assert await comes(target, lambda: target.living_requests() == 0)
