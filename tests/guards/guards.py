"""The guards."""

import asyncio
import contextlib
import time
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp

from tests.conformance.raw import BINARY, CONTINUATION, TEXT, frame
from tests.conformance.server import HOST
from tests.guards.peers import HANDSHAKE, Polling, Raw, polling, websocket
from tests.guards.target import Target
from tests.support.waiting import until

Guard = Callable[[Target], Awaitable[None]]

_FLOOD = '42["flood",256,32768]'
"""8 MiB, in 256 events."""


async def _comes(target: Target, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + target.patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True


async def _is_over(target: Target) -> bool:
    return await _comes(target, lambda: "disconnect" in target.names())


# --- events and packets ---------------------------------------------------------------------------------------------


async def the_name_disconnect(target: Target) -> None:
    """`42["disconnect"]` does not invoke the server's own handler."""
    async with websocket(target) as peer:
        peer.packet('42["disconnect"]')
        await peer.ends()
        assert ("disconnect", None) not in target.told


async def the_name_connect(target: Target) -> None:
    """Neither does `42["connect",...]`."""
    async with websocket(target) as peer:
        peer.packet('42["connect",{},{"token":"forged"}]')
        await peer.ends()
        assert target.names().count("connect") == 1


async def no_connect(target: Target) -> None:
    """A WebSocket that never sends CONNECT is closed."""
    async with websocket(target, connected=False) as peer:
        assert await peer.ends()


async def no_connect_by_polling(target: Target) -> None:
    """A polling session that never sends CONNECT ends."""
    async with aiohttp.ClientSession() as http, http.get(f"{target.url}polling"):
        assert await _comes(target, lambda: not target.server.eio.sockets)


async def refused(target: Target) -> None:
    """A socket whose CONNECT was refused is told so, and closed."""
    async with websocket(target, connected=False) as peer:
        peer.packet('40{"token":"bad"}')
        await peer.until(b"44{")
        assert await peer.ends()


async def left_the_namespace(target: Target) -> None:
    """A socket that has left its only namespace is closed."""
    async with websocket(target) as peer:
        peer.packet("41")
        assert await peer.ends()


def undecodable(packet: str) -> Guard:
    """A WebSocket that sends what is no Engine.IO packet, or no Socket.IO packet, is closed at once."""

    async def guard(target: Target) -> None:
        async with websocket(target) as peer:
            peer.packet(packet)
            assert await peer.ends()
            assert await _is_over(target)

    return guard


def undecodable_by_polling(payload: str) -> Guard:
    """The same over polling: refused, and the session is over."""

    async def guard(target: Target) -> None:
        async with polling(target) as peer:
            assert await peer.post(payload) == 400
            assert await _is_over(target)

    return guard


async def attachments_promised_without_number(target: Target) -> None:
    """A packet that promises a billion attachments ends its connection."""
    async with websocket(target) as peer:
        peer.packet('451000000000-["echo",{"_placeholder":true,"num":0}]')
        assert await peer.ends()


async def attachments_that_are_too_many(target: Target) -> None:
    """So does one that promises seventeen."""
    async with websocket(target) as peer:
        peer.packet('4517-["echo",{"_placeholder":true,"num":0}]')
        assert await peer.ends()


async def attachments_that_are_too_large(target: Target) -> None:
    """Those of one packet are no larger together than one message."""
    async with websocket(target) as peer:
        peer.packet('4516-["echo",{"_placeholder":true,"num":0}]')
        for _ in range(8):
            peer.send(frame(BINARY, bytes(32 * 1024)))
        assert await peer.ends()


async def attachment_that_is_text(target: Target) -> None:
    """A promised attachment is not replaced by an event."""
    async with websocket(target) as peer:
        peer.packet('451-["echo",{"_placeholder":true,"num":0}]')
        peer.packet('42["echo",1]')
        assert await peer.ends()
        assert "echo" not in target.names()


async def attachment_that_was_not_announced(target: Target) -> None:
    """Binary out of nowhere ends its connection."""
    async with websocket(target) as peer:
        peer.send(frame(BINARY, b"x"))
        assert await peer.ends()


async def fragments_without_end(target: Target) -> None:
    """A message that never ends is not collected: a quarter of a megabyte is far too much."""
    async with websocket(target) as peer:
        peer.send(frame(TEXT, b"4" * 1024, final=False))
        for _ in range(255):
            peer.send(frame(CONTINUATION, b"4" * 1024, final=False))
        assert await peer.ends()


async def a_huge_frame(target: Target) -> None:
    """A frame that announces a gigabyte is refused before it comes."""
    async with websocket(target) as peer:
        peer.send(bytes([0x81, 0xFF]) + (1 << 30).to_bytes(8, "big") + b"abcd")
        assert await peer.ends()


# --- transports -----------------------------------------------------------------------------------------------------


async def upgrade_without_probe(target: Target) -> None:
    """A WebSocket that says that it will take over, and is silent then, is closed; the session goes on."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as peer:
        assert await peer.ends()
        assert await session.post('42["echo",1]') == 200
        assert await _comes(target, lambda: ("echo", 1) in target.told)


async def upgrade_that_stops_half_way(target: Target) -> None:
    """So is one that probes, and then does not take over; and the session goes on."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as peer:
        peer.packet("2probe")
        await peer.until(b"3probe")
        assert await peer.ends()
        assert await session.post('42["echo",1]') == 200
        assert await _comes(target, lambda: ("echo", 1) in target.told)


async def second_upgrade(target: Target) -> None:
    """While one WebSocket is about to take over, no other can."""
    async with polling(target) as session, websocket(target, connected=False, sid=session.sid) as first:
        first.packet("2probe")
        await first.until(b"3probe")
        async with websocket(target, connected=False, sid=session.sid) as second:
            second.packet("2probe")
            first.packet("5")
            first.packet('42["echo",1]')
            assert await _comes(target, lambda: ("echo", 1) in target.told)
            assert await second.ends()


async def two_polls(target: Target) -> None:
    """A session that is polled twice at a time ends."""
    async with polling(target) as session:
        answers = await asyncio.gather(session.poll(), session.poll())
        assert 400 in {status for status, _ in answers}
        assert await _is_over(target)


async def two_posts(target: Target) -> None:
    """So does one that is sent two payloads at a time: one that comes slowly, and another."""
    async with polling(target) as session, Raw(target) as slow:
        before = len(target.requests)
        slow.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n")
        slow.send("Content-Length: 10\r\n\r\n4")
        await until(lambda: len(target.requests) > before, "the slow one to begin")
        assert await session.post("6") == 400
        assert await _is_over(target)


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
        assert await _is_over(target)


async def chunked_payload(target: Target) -> None:
    """A payload of unknown length is refused, or taken: not accepted and lost."""
    async with polling(target) as session, Raw(target) as peer:
        peer.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n")
        peer.send('Transfer-Encoding: chunked\r\n\r\nc\r\n42["echo",1]\r\n0\r\n\r\n')
        answer = await peer.until(b"\r\n\r\n")
        assert b" 411 " in answer or await _comes(target, lambda: "echo" in target.names())


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
        assert await _comes(target, lambda: target.living_requests() == 0)


# --- slow readers ---------------------------------------------------------------------------------------------------


async def slow_websocket(target: Target) -> None:
    """A WebSocket that is sent 16 MiB and reads nothing is closed, others are not, and nothing of it stays."""
    async with websocket(target) as other, websocket(target, slow=True) as peer:
        for _ in range(2):
            peer.packet(_FLOOD)
        assert await _is_over(target)
        assert await _comes(target, lambda: len(target.server.eio.sockets) == 1)
        other.packet('421["echo",1]')
        await other.until(b"431[1]")


async def stalled_websocket(target: Target) -> None:
    """One that is owed less than the bound, and reads none of it, is closed as well."""
    async with websocket(target, slow=True) as peer:
        for _ in range(200):
            peer.packet('42["flood",1,24576]')
            await asyncio.sleep(0.005)
        assert await _is_over(target)


async def slow_polling(target: Target) -> None:
    """A session that is sent 8 MiB and never polls ends."""
    async with polling(target) as session:
        await session.post(_FLOOD)
        assert await _is_over(target)
        assert await _comes(target, lambda: not target.server.eio.sockets)


async def polling_that_leaves_the_rest(target: Target) -> None:
    """Also when a poll takes the first packets of the flood."""
    async with polling(target) as session:
        before = len(target.requests)
        poll = asyncio.ensure_future(session.poll())
        await until(lambda: len(target.requests) > before, "the poll to begin")
        assert await session.post('42["flood",20,64]') == 200
        assert (await poll)[0] == 200
        await session.post(_FLOOD)
        assert await _is_over(target)


async def slow_readers_together(target: Target) -> None:
    """What waits for all is bounded too: those who are furthest behind go, the others stay."""
    async with AsyncExitStack() as stack:
        sessions: list[Polling] = [await stack.enter_async_context(polling(target)) for _ in range(8)]
        for number, session in enumerate(sessions):
            await session.post(f'42["flood",1,{200_000 + number}]')
        assert await _is_over(target)
        await _comes(target, lambda: target.names().count("flooded") == len(sessions))
        assert 4 <= len(target.server.eio.sockets) < len(sessions)


# --- HTTP -----------------------------------------------------------------------------------------------------------


async def silent_connection(target: Target) -> None:
    """A connection on which nothing comes is closed."""
    async with Raw(target) as peer:
        assert await peer.ends()


async def request_line_in_drips(target: Target) -> None:
    """So is one whose request line comes a byte at a time."""
    async with Raw(target) as peer:
        peer.send("GET /")
        assert await peer.drips(b"x")


async def headers_in_drips(target: Target) -> None:
    """Or its headers."""
    async with Raw(target) as peer:
        peer.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        assert await peer.drips(b"x")


async def second_request_in_drips(target: Target) -> None:
    """Or a later request."""
    async with Raw(target) as peer:
        peer.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        await peer.until(b"404: Not Found")
        peer.send("GET /")
        assert await peer.drips(b"x")


async def idle_connection(target: Target) -> None:
    """A connection that is idle after a request is closed, long before an hour has passed."""
    async with Raw(target) as peer:
        peer.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        await peer.until(b"404: Not Found")
        assert await peer.ends()


async def payload_that_never_comes(target: Target) -> None:
    """Packets that were announced and do not come are not waited for."""
    async with polling(target) as session, Raw(target) as peer:
        peer.send(f"POST /socket.io/?EIO=4&transport=polling&sid={session.sid} HTTP/1.1\r\nHost: x\r\n")
        peer.send("Content-Length: 1000\r\n\r\n4")
        assert await peer.ends()


async def answer_that_nobody_reads(target: Target) -> None:
    """A large answer that is not read does not stay in memory."""
    async with Raw(target, receives=4096) as peer:
        peer.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await _comes(target, lambda: bool(target.requests))
        assert await _comes(target, lambda: target.connections() == 0)


# --- what the stock stack does well, too ----------------------------------------------------------------------------


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
            peer.send(frame(TEXT, _FLOOD.encode()))
        assert await _is_over(target)


async def poll_after_the_end(target: Target) -> None:
    """A session that is over is not found."""
    async with polling(target) as session:
        await session.post("1")
        assert await _is_over(target)
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
