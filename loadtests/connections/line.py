"""One connection of a seat."""

import asyncio
from typing import Final, Protocol

import msgspec

from loadtests.connections.book import Heard
from loadtests.light.client import Client
from loadtests.light.connection import ClientError, Connection

_MESSAGE: Final = b'42["message",'
_SESSION: Final = b'42["session",'
QUIET_SECONDS: Final = 45
"""Engine.IO's ping interval and timeout, 25 s + 20 s: a client hears something in this time, or the line is dead."""


class Session(msgspec.Struct):
    """How the server greets."""

    gateway: str


_messages: Final = msgspec.json.Decoder(tuple[str, Heard])
_sessions: Final = msgspec.json.Decoder(tuple[str, Session])


class Holder(Protocol):
    """Who is told what comes."""

    def on_message(self, line: "Line", message: Heard) -> None:
        """A message came."""

    def on_lost(self, line: "Line") -> None:
        """It is gone."""


class Line(Client):
    """It is there once `greeted` is done, which has the name of the gateway."""

    __slots__ = ("_seat", "greeted", "is_greeted", "quiet")

    def __init__(self, request: bytes, token: bytes, seat: Holder) -> None:
        super().__init__(request, token, _gone)
        self._seat = seat
        self.greeted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.is_greeted = False
        self.quiet = 0
        """For how many seconds nothing was heard; counted by the seat."""

    def buffer_updated(self, size: int) -> None:
        """See `Client`."""
        self.quiet = 0
        super().buffer_updated(size)

    def on_event(self, packet: bytes) -> None:
        """See `Client`."""
        if packet.startswith(_MESSAGE):
            self._seat.on_message(self, _messages.decode(packet[2:])[1])
        elif packet.startswith(_SESSION) and not self.greeted.done():
            self.is_greeted = True
            self.greeted.set_result(_sessions.decode(packet[2:])[1].gateway)

    def connection_lost(self, error: Exception | None) -> None:
        """See `Client`."""
        super().connection_lost(error)
        if not self.greeted.done():
            self.greeted.set_exception(ClientError("closed before the greeting"))
            self.greeted.exception()  # nobody need wait for it
        self._seat.on_lost(self)

    async def is_in(self) -> str:
        """Wait to be greeted; returns the name of the gateway. Raises `ClientError`."""
        try:
            await self.ready
        except ClientError:
            self.greeted.cancel()
            raise
        return await self.greeted


def _gone(_line: Connection) -> None:
    """The seat is told by `Line` itself."""
