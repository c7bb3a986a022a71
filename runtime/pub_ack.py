"""What JetStream answers to a publish: that it is stored, and where; or why not."""

from typing import Final

import msgspec

from wire import codec
from wire.errors import ErrorCode, ParleyError

_RETRY_SECONDS: Final = 2


class NotStoredError(ParleyError):
    """The stream says that it has not stored the message: unavailable. `err_code` is JetStream's own."""

    def __init__(self, err_code: int, reason: str) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, f"the message was not stored: {reason}", _RETRY_SECONDS)
        self.err_code = err_code


class _ApiError(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class PubAck(msgspec.Struct):
    """The message is stored. `duplicate`: it was there before, at `seq`."""

    seq: int = 0
    duplicate: bool = False
    error: _ApiError | None = None
    """Never there in what `read` returns."""


_decoder: Final = codec.Decoder(PubAck)


def read(answer: bytes) -> PubAck:
    """The acknowledgement; raises `NotStoredError`, or `ParleyError` (unavailable) when it cannot be read."""
    try:
        ack = _decoder.decode(answer)
    except codec.WireError:
        message = "the stream's answer cannot be read"
        raise ParleyError(ErrorCode.UNAVAILABLE, message, _RETRY_SECONDS) from None
    if ack.error is not None:
        raise NotStoredError(ack.error.err_code, ack.error.description)
    if not ack.seq:
        raise NotStoredError(0, "no sequence")
    return ack
