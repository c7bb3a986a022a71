"""Bytes to types and back: JSON, decoded and validated in one pass.

JSON and not a denser format, because a chat message goes on to clients as JSON, and because an operator can read
what `nats sub` prints.
"""

import re
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()
_VALUE: Final = re.compile(r"Invalid (enum )?value .*?(?= - at `[^`]*`$|$)", re.DOTALL)


class WireError(ValueError):
    """Bytes that are not the message they should be. Says what is wrong, and never repeats the bytes."""


def encode(message: msgspec.Struct) -> bytes:
    """The canonical bytes of `message`: fields in declaration order, defaults left out."""
    return _encoder.encode(message)


class Decoder(Generic[T]):
    """Decodes one type, or one tagged union, of messages. Unknown fields are ignored, so fields can be added."""

    def __init__(self, kind: type[T]) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def decode(self, data: bytes | str) -> T:
        """Return the message in `data`; raises `WireError`."""
        try:
            return self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise WireError(reason(error)) from None


def reason(error: Exception) -> str:
    """What msgspec found wrong, without the value it found, which may be a secret."""
    return _VALUE.sub("Invalid value", str(error))
