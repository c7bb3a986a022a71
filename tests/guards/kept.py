"""Guards that the stock stack has, and some that it lacks: the edge has to keep what its replacement took over."""

import zlib

import aiohttp

from tests.conformance.raw import TEXT, frame
from tests.conformance.server import HOST
from tests.guards.guard import FLOOD, Guard, is_over
from tests.guards.peers import HANDSHAKE, Polling, Raw, polling, websocket
from tests.guards.target import Target


def bad_handshake(header: str, value: str) -> Guard:
    """A WebSocket handshake that is none is refused, and opens no session."""

    async def guard(target: Target) -> None:
        fields = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            header: value,
        }
        lines = "".join(f"{name}: {each}\r\n" for name, each in fields.items())
        async with Raw(target) as peer:
            peer.send(f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n")
            assert b" 4" in (await peer.until(b"\r\n"))[:16]
        assert not target.server.eio.sockets

    return guard


async def packets_before_the_answer(target: Target) -> None:
    """What a client sends behind its handshake, without waiting for the answer, is taken in its order."""
    async with Raw(target) as peer:
        peer.send(
            HANDSHAKE.format(more="").encode()
            + frame(TEXT, b"40")
            + frame(TEXT, b'421["echo",1]')
            + frame(TEXT, b'422["echo",2]')
        )
        read = await peer.until(b"432[2]")
        assert b"431[1]" in read
        assert read.index(b"40{") < read.index(b"431[1]")


async def unread_answers_before_a_handshake(target: Target) -> None:
    """A slow reader is one from the start: also if what it does not read is the answer to an earlier request."""
    async with Raw(target, receives=4096) as peer:
        peer.send(
            b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 12 + HANDSHAKE.format(more="").encode() + frame(TEXT, b"40")
        )
        for _ in range(2):
            peer.send(frame(TEXT, FLOOD.encode()))
        assert await is_over(target)


async def poll_after_the_end(target: Target) -> None:
    """A session that is over is not found."""
    async with polling(target) as session:
        await session.post("1")
        assert await is_over(target)
        assert (await session.poll())[0] == 400


async def a_guessed_session(target: Target) -> None:
    """So is one that never was."""
    async with aiohttp.ClientSession() as http:
        assert (await Polling(target, http, "AAAAAAAAAAAAAAAAAAAA").poll())[0] == 400


async def a_payload_of_many_packets(target: Target) -> None:
    """Thirty thousand packets at once end their session alone, or do nothing."""
    async with polling(target) as session, websocket(target) as other:
        assert await session.post("\x1e".join(["6"] * 30_000)) in {200, 400}
        assert await session.post("\x1e" * 60_000) == 400
        other.packet('421["echo",1]')
        await other.until(b"431[1]")


async def a_bomb(target: Target) -> None:
    """A payload that is small until it is inflated is refused."""
    async with polling(target) as session:
        data = zlib.compress(b"4" * 40_000_000)
        async with (
            aiohttp.ClientSession() as http,
            http.post(session.url, data=data, headers={"Content-Encoding": "deflate"}) as response,
        ):
            assert response.status >= 400


def too_much_head(head: str) -> Guard:
    """A request with too long a line, or too many headers, is refused."""

    async def guard(target: Target) -> None:
        async with Raw(target) as peer:
            peer.send(head)
            assert b" 400 " in await peer.until(b"\r\n")
            assert await peer.ends()

    return guard
