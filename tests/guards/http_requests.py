"""Guards: HTTP connections and requests that never come to an end."""

from tests.guards.guard import comes
from tests.guards.peers import Raw, polling
from tests.guards.target import Target


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
        assert await comes(target, lambda: bool(target.requests))
        assert await comes(target, lambda: target.connections() == 0)
