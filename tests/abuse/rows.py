"""An input, and what has to come of it."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from tests.abuse.stranger import Stranger

MIB: Final = 1 << 20
ROOM: Final = "well"
"""Where the good client is."""

Send = Callable[[Stranger], Awaitable[str]]
"""Sends something, and says in a few words what came of it."""


class Row(NamedTuple):
    """One input."""

    name: str
    send: Send
    expected: str
    slow: bool = False
    """The gateway takes its time on purpose: sent side by side with the other slow ones."""
    grows_most: int = 8 * MIB
    """What the gateway's memory may grow by at its worst, while it deals with this."""


def packets(*sent: str | bytes) -> Send:
    """Who is let in sends packets, or other frames as bytes; see `Socket.outcome`."""

    async def send(stranger: Stranger) -> str:
        async with stranger.socket() as socket:
            for each in sent:
                socket.send(each)
            return await socket.outcome()

    return send


def last(data: bytes) -> Send:
    """Who is let in sends bytes after which it has nothing to say."""

    async def send(stranger: Stranger) -> str:
        async with stranger.socket() as socket:
            socket.send(data)
            return await socket.end()

    return send


def http(request: str | bytes) -> Send:
    """Somebody sends a request, or what looks like one; see `Stranger.http`."""

    async def send(stranger: Stranger) -> str:
        return await stranger.http(request)

    return send


def named(rows: dict[str, tuple[Send, str]]) -> list[Row]:
    """A table of inputs that are dealt with at once."""
    return [Row(name, send, expected) for name, (send, expected) in rows.items()]
