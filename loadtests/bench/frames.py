"""How deliveries are counted, and pings found, without looking at packets.

Deliveries are counted by one byte, `MARK`, that every message body holds once and nothing else holds: no JSON around
it, and no frame header, as long as no frame's length ends in that byte. One C call counts a whole read, however many
frames are glued in it and wherever it cuts one.
"""

from typing import Final

MARK: Final = b"^"
PING: Final = b"\x81\x012"
"""An Engine.IO ping is a text frame that says 2. Inside other frames these bytes cannot stand: JSON has no \\x01."""

_TEXT: Final = PING[0]


class PingFinder:
    """Finds pings among bytes that come in pieces, at the price of one search per piece."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def found(self, buffer: bytearray, size: int) -> bool:
        """Whether a ping ends in the first `size` bytes of `buffer`."""
        joined = self._tail + buffer[:2] if self._tail else b""
        found = buffer.find(PING, 0, size) >= 0 or PING in joined[: len(self._tail) + size]
        last = buffer[size - 1]
        if last == _TEXT:
            self._tail = PING[:1]
        elif last == 1 and (self._tail + buffer[max(0, size - 2) : size]).endswith(PING[:2]):
            self._tail = PING[:2]
        else:
            self._tail = b""
        return found
