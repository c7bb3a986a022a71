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


class _Raw(NamedTuple):
    seq: int
    data: bytes


class MessageStream:
    """Every method raises `ParleyError` (unavailable) when the stream does not answer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last_seq(self, room: str) -> int:
        """The seq of the newest message of `room` that the stream holds, 0 for none."""
        raw = await self._get(subject=subjects.stored_message(room))
        return 0 if raw is None else raw.seq

    async def holds(self, room: str, seq: int) -> bool:
        """Whether the message at `seq` is there, and of `room`."""
        raw = await self._get(seq=seq, subject=subjects.stored_message(room), next=True)
        return raw is not None and raw.seq == seq

    async def at(self, seq: int) -> Entry | None:
        """The message at `seq`, of whatever room."""
        raw = await self._get(seq=seq)
        return None if raw is None else _entry(raw)

    async def between(self, room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        """The messages of `room` with ``after < seq <= upto``, in order: one round trip each, for short ranges.

        What cannot be read is left out; history keeps it among its dead letters.
        """
        seq = after
        while seq < upto:
            raw = await self._get(seq=seq + 1, subject=subjects.stored_message(room), next=True)
            if raw is None or raw.seq > upto:
                return
            if (entry := _entry(raw)) is not None:
                yield entry
            seq = raw.seq

    async def _get(self, *, seq: int | None = None, subject: str | None = None, next: bool = False) -> _Raw | None:
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
        return _Raw(raw.seq or 0, raw.data or b"")


def _entry(raw: _Raw) -> Entry | None:
    try:
        return Entry(raw.seq, _decoder.decode(raw.data))
    except codec.WireError:
        return None


_NO_MESSAGE_FOUND: Final = 10037
"""JetStream's code; the other "not found" is that of the stream itself."""


def _unavailable(error: Exception) -> ParleyError:
    return ParleyError(ErrorCode.UNAVAILABLE, f"the message stream: {type(error).__name__}", retry_after=1)
