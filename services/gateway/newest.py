"""The newest messages of a room, kept for as long as somebody reads what came before them."""

from collections import deque
from typing import Final

_MOST_BYTES: Final = 256 * 1024


class Newest:
    """Shared by all who resume in a room. Bounded: what is older is in history, and is read from there."""

    def __init__(self, last_seq: int) -> None:
        self.readers = 0
        self._since = last_seq
        """All that was delivered after it is here."""
        self._packets: deque[tuple[int, bytes]] = deque()
        self._size = 0

    def add(self, seq: int, packet: bytes) -> None:
        """It was delivered."""
        self._packets.append((seq, packet))
        self._size += len(packet)
        while self._size > _MOST_BYTES:
            self._since, oldest = self._packets.popleft()
            self._size -= len(oldest)

    def after(self, seq: int) -> list[tuple[int, bytes]] | None:
        """All that was delivered after `seq`, with its seq; None if that is more than is here."""
        return None if seq < self._since else [each for each in self._packets if each[0] > seq]
