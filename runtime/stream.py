"""Reading the message stream by room, always from the stream's leader.

Direct gets, which any replica may answer, are quicker but may miss what the leader has already acknowledged.
"""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import msgspec

from runtime.bus import Bus
from wire import codec, streams, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import ChatMessage

_TIMEOUT_SECONDS: Final = 5.0
_NO_MESSAGE_FOUND: Final = 10037
"""JetStream's code; the other "not found" is that of the stream itself."""


class Entry(NamedTuple):
    """A stored message and its place."""

    seq: int
    message: ChatMessage


class _Get(msgspec.Struct, omit_defaults=True):
    """The API's request, as nats-server reads it: the message at `seq`, the last one, or the next one from `seq`."""

    seq: int = 0
    last_by_subj: str = ""
    next_by_subj: str = ""


class _Stored(msgspec.Struct):
    seq: int
    data: bytes = b""


class _ApiError(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Got(msgspec.Struct):
    message: _Stored | None = None
    error: _ApiError | None = None


_got: Final = codec.Decoder(_Got)
_decoder: Final = codec.Decoder(ChatMessage)
_subject: Final = subjects.stream_get(streams.MESSAGES)


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

    async def _get(self, *, seq: int = 0, last_by_subj: str = "", next_by_subj: str = "") -> _Stored | None:
        asked = _Get(seq=seq, last_by_subj=last_by_subj, next_by_subj=next_by_subj)
        reply = await self._bus.request(_subject, codec.encode(asked), timeout=_TIMEOUT_SECONDS)
        got = _got.decode(reply.data)
        if got.error is not None and got.error.err_code != _NO_MESSAGE_FOUND:
            reason = got.error.description
            raise ParleyError(ErrorCode.UNAVAILABLE, f"the message stream: {reason}", retry_after=1)
        return got.message


def _entry(raw: _Stored) -> Entry | None:
    try:
        return Entry(raw.seq, _decoder.decode(raw.data))
    except codec.WireError:
        return None
