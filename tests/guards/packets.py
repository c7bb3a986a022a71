"""Guards: events that a client may not send, and packets that are none."""

import aiohttp

from tests.conformance.raw import BINARY, CONTINUATION, TEXT, frame
from tests.guards.guard import Guard, comes, is_over
from tests.guards.peers import polling, websocket
from tests.guards.target import Target


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
        assert await comes(target, lambda: not target.server.eio.sockets)


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
            assert await is_over(target)

    return guard


def undecodable_by_polling(payload: str) -> Guard:
    """The same over polling: refused, and the session is over."""

    async def guard(target: Target) -> None:
        async with polling(target) as peer:
            assert await peer.post(payload) == 400
            assert await is_over(target)

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
