"""Reading the message stream by room, always from the stream's leader."""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from runtime import stored
from runtime.bus import Bus
from runtime.stored import Stored, Wanted
from wire import codec, streams, subjects
from wire.messages import ChatMessage


class Entry(NamedTuple):
    """A stored message and its place."""

    seq: int
    message: ChatMessage
    stored_at: float = 0.0
    """When the stream stored it, seconds since the epoch; 0: it was not asked."""


_decoder: Final = codec.Decoder(ChatMessage)


class MessageStream:
    """Every method raises `ParleyError` (unavailable) when the stream does not answer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def last_seq(self, room: str) -> int:
        """The seq of the newest message of `room` that the stream holds, 0 for none."""
        raw = await self._get(last_by_subj=subjects.stored_message(room))
        return 0 if raw is None else raw.seq

    async def holds(self, room: str, seq: int) -> bool:
        """Whether the message at `seq` is there, and of `room`."""
        raw = await self._get(seq=seq, next_by_subj=subjects.stored_message(room))
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
            raw = await self._get(seq=seq + 1, next_by_subj=subjects.stored_message(room))
            if raw is None or raw.seq > upto:
                return
            if (entry := _entry(raw)) is not None:
                yield entry
            seq = raw.seq

    async def _get(self, *, seq: int = 0, last_by_subj: str = "", next_by_subj: str = "") -> Stored | None:
        wanted = Wanted(seq=seq, last_by_subj=last_by_subj, next_by_subj=next_by_subj)
        return await stored.get(self._bus, streams.MESSAGES, wanted)


def _entry(raw: Stored) -> Entry | None:
    try:
        stored_at = 0.0 if raw.time is None else raw.time.timestamp()
        return Entry(raw.seq, _decoder.decode(raw.data), stored_at)
    except codec.WireError:
        return None
