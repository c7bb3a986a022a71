"""WebSocket frames as a server sends them (RFC 6455, 5.2): final and unmasked, so the same bytes serve everybody.

Frames are the one form in which anything leaves the edge. Several of them in a row are just their bytes in a row; a
client that polls gets the packets that are in them.
"""

from collections.abc import Iterator
from typing import Final

from engineio.packet import Packet

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_CLOSE: Final = 0x88
_PONG: Final = 0x8A


def text(payload: bytes) -> bytes:
    """A text frame; `payload` is UTF-8."""
    return _frame(_TEXT, payload)


def binary(payload: bytes) -> bytes:
    """A binary frame."""
    return _frame(_BINARY, payload)


def pong(payload: bytes) -> bytes:
    """The answer to a ping frame."""
    return _frame(_PONG, payload)


def close(code: int) -> bytes:
    """The frame that ends a WebSocket."""
    return _frame(_CLOSE, code.to_bytes(2, "big"))


def message(packet: bytes) -> bytes:
    """An Engine.IO MESSAGE packet that carries the Socket.IO packet `packet`."""
    return _frame(_TEXT, b"4" + packet)


def of(packet: Packet) -> bytes:
    """The frame of an Engine.IO packet."""
    encoded = packet.encode()
    return binary(encoded) if isinstance(encoded, bytes) else text(encoded.encode())


def packets(frames: bytes) -> Iterator[str | bytes]:
    """The Engine.IO packets in `frames`, all of them made by `text`, `binary` or `message`."""
    for kind, start, end in _in(frames):
        payload = frames[start:end]
        yield payload.decode() if kind == _TEXT else payload


def count(frames: bytes) -> int:
    """How many packets are in `frames`."""
    return sum(1 for _ in _in(frames))


def _in(frames: bytes) -> Iterator[tuple[int, int, int]]:
    """The kind of each frame, and where its payload begins and ends."""
    start = 0
    while start < len(frames):
        kind, length = frames[start], frames[start + 1]
        start += 2
        if length >= 126:
            width = 2 if length == 126 else 8
            length = int.from_bytes(frames[start : start + width], "big")
            start += width
        yield kind, start, start + length
        start += length


def _frame(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((kind, length)) + payload
    if length < 65536:
        return bytes((kind, 126, length >> 8, length & 255)) + payload
    return bytes((kind, 127)) + length.to_bytes(8, "big") + payload


PING: Final = text(b"2")
CLOSE: Final = text(b"1")
NOOP: Final = text(b"6")
PROBED: Final = text(b"3probe")
