"""What NATS sends, to the parser as the event loop reads it: no stream, no future and no turn of the loop between.

asyncio's stream costs a wake-up of the reading task for each read, and delivers a turn later.
"""

import asyncio
from typing import Final

from runtime.nats_parser import Parser


class Reading(asyncio.Protocol):
    """Stands before the stream of one connection.

    nats-py's read loop keeps reading that stream: it gets what has to be awaited (everything but messages for
    `Listening`) and what comes while it is at that, in order; and it finds out when the connection ends.
    """

    def __init__(self, parser: Parser, stream: asyncio.StreamReaderProtocol, *, buffered: int) -> None:
        """`buffered`: bytes that are in the stream already."""
        self._parser = parser
        self._stream = stream
        self._connection: Final = parser.connections
        parser.unparsed = buffered

    def data_received(self, data: bytes) -> None:
        """What was read."""
        parser = self._parser
        if parser.connections != self._connection:
            return  # another has begun
        rest = data if parser.unparsed else parser.feed(data)
        if rest:
            parser.unparsed += len(rest)
            self._stream.data_received(rest)

    def eof_received(self) -> bool | None:
        """See asyncio."""
        return self._stream.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._stream.connection_lost(exc)

    def pause_writing(self) -> None:
        """See asyncio."""
        self._stream.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._stream.resume_writing()
