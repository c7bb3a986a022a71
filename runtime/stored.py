"""What a stream holds, asked of its leader: never less than what the stream has acknowledged."""

from datetime import datetime
from typing import Final

import msgspec

from runtime.bus import Bus
from wire import codec, subjects
from wire.errors import ErrorCode, ParleyError

_TIMEOUT_SECONDS: Final = 5.0
_NO_MESSAGE_FOUND: Final = 10037
"""JetStream's code; the other "not found" is that of the stream itself."""


class Wanted(msgspec.Struct, omit_defaults=True):
    """The API's request, as nats-server reads it: the message at `seq`, the last one, or the next one from `seq`."""

    seq: int = 0
    last_by_subj: str = ""
    next_by_subj: str = ""


class Stored(msgspec.Struct):
    """A message as the stream holds it."""

    seq: int
    data: bytes = b""
    time: datetime | None = None
    """When it was stored."""


class _ApiError(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class StreamState(msgspec.Struct, frozen=True):
    """Of a stream's messages."""

    last_seq: int = 0
    """Of the newest that it ever had, whether it has it still or not."""


class StreamInfo(msgspec.Struct):
    """What a stream says of itself."""

    created: str = ""
    """When; another time is another stream of the same name."""
    state: StreamState = StreamState()
    error: _ApiError | None = None


class _Got(msgspec.Struct):
    message: Stored | None = None
    error: _ApiError | None = None


_got: Final = codec.Decoder(_Got)
_info: Final = codec.Decoder(StreamInfo)


async def get(bus: Bus, stream: str, wanted: Wanted) -> Stored | None:
    """The message, or None if there is none such. Raises `ParleyError` (unavailable) without an answer.

    Direct gets, which any replica may answer, would be quicker, and may miss what the leader has acknowledged.
    """
    reply = await bus.request(subjects.stream_get(stream), codec.encode(wanted), timeout=_TIMEOUT_SECONDS)
    got = _got.decode(reply.data)
    if got.error is not None and got.error.err_code != _NO_MESSAGE_FOUND:
        raise ParleyError(ErrorCode.UNAVAILABLE, f"{stream}: {got.error.description}", retry_after=1)
    return got.message


async def info(bus: Bus, stream: str) -> StreamInfo:
    """Of `stream`. Raises `ParleyError` (unavailable) without an answer, and if there is no such stream."""
    reply = await bus.request(subjects.stream_info(stream), b"", timeout=_TIMEOUT_SECONDS)
    found = _info.decode(reply.data)
    if found.error is not None:
        raise ParleyError(ErrorCode.UNAVAILABLE, f"{stream}: {found.error.description}", retry_after=1)
    return found
