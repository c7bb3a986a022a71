"""Reading the message stream by room, always from the stream's leader.

Direct gets, which any replica may answer, are quicker but may miss what the leader has already acknowledged.
"""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from wire import codec, streams, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import ChatMessage

_decoder: Final = codec.Decoder(ChatMessage)


class Entry(NamedTuple):
    """A stored message and its place."""

    seq: int
    message: ChatMessage


class MessageStream:
    """Every method raises `ParleyError` (unavailable) when the stream does not answer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last(self, room: str) -> Entry | None:
        """The newest message of `room` that the stream holds."""
        return await self._get(subject=subjects.stored_message(room))

    async def at(self, seq: int) -> Entry | None:
        """The message at `seq`, of whatever room."""
        return await self._get(seq=seq)

    async def between(self, room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        """The messages of `room` with ``after < seq <= upto``, in order: one round trip each, for short ranges."""
        seq = after
        while seq < upto:
            entry = await self._get(seq=seq + 1, subject=subjects.stored_message(room), next=True)
            if entry is None or entry.seq > upto:
                return
            yield entry
            seq = entry.seq

    async def _get(self, *, seq: int | None = None, subject: str | None = None, next: bool = False) -> Entry | None:
        if not self._bus.client.is_connected:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected to the message bus", retry_after=1)
        try:
            raw = await self._bus.jetstream.get_msg(streams.MESSAGES, seq=seq, subject=subject, next=next)
        except NotFoundError as error:
            if error.err_code == _NO_MESSAGE_FOUND:
                return None
            raise _unavailable(error) from error
        except NatsError as error:
            raise _unavailable(error) from error
        if raw.seq is None or raw.data is None:
            return None
        try:
            return Entry(raw.seq, _decoder.decode(raw.data))
        except codec.WireError as error:
            raise ParleyError(ErrorCode.INTERNAL, f"undecodable message at {raw.seq}") from error


_NO_MESSAGE_FOUND: Final = 10037
"""JetStream's code; the other "not found" is that of the stream itself."""


def _unavailable(error: Exception) -> ParleyError:
    return ParleyError(ErrorCode.UNAVAILABLE, f"the message stream: {type(error).__name__}", retry_after=1)
