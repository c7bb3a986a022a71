"""What is only of use while it is new: of it, a client that is behind gets the newest, and no backlog."""

from typing import Final, Protocol

from services.gateway.edge import metrics

KEPT_MOST: Final = 256
"""Frames kept for one client."""

Key = tuple[str, ...]
"""What a frame is about, beginning with its room; the next frame of the same key makes it useless."""

_newer: Final = metrics.superseded.labels(reason="newer")
_no_room: Final = metrics.superseded.labels(reason="no_room")


class Watch(Protocol):
    """Who bounds what waits for all clients: `Backlog`."""

    def kept(self, size: int) -> None:
        """So many more bytes are kept for somebody, or fewer."""


class Newest:
    """For one client, for as long as it is behind: at most `KEPT_MOST` frames, and `most` bytes.

    Above that, those go that were renewed the longest ago.
    """

    __slots__ = ("_frames", "_most", "_watch", "size")

    def __init__(self, watch: Watch, most: int) -> None:
        self._watch: Final = watch
        self._most: Final = most
        self._frames: dict[Key, bytes] = {}
        """In the order in which they came."""
        self.size = 0
        """Bytes kept."""

    def put(self, key: Key, frame: bytes) -> None:
        """Keep `frame`, in place of the one before it of the same `key`."""
        before = self.size
        if key in self._frames:
            self._remove(key)
            _newer.inc()
        self._frames[key] = frame
        self.size += len(frame)
        while len(self._frames) > KEPT_MOST or self.size > self._most:
            self._remove(next(iter(self._frames)))
            _no_room.inc()
        self._watch.kept(self.size - before)

    def discard(self, room: str) -> None:
        """The client has left `room`."""
        before = self.size
        for key in [key for key in self._frames if key[0] == room]:
            self._remove(key)
        self._watch.kept(self.size - before)

    def give_up(self) -> int:
        """Keep nothing of it, for too much waits for all; returns how many bytes that were, which are not told."""
        given_up, self.size = self.size, 0
        _no_room.inc(len(self._frames))
        self._frames.clear()
        return given_up

    @property
    def count(self) -> int:
        """How many frames are kept."""
        return len(self._frames)

    def frames(self) -> bytes:
        """All that is kept, for one write."""
        return b"".join(self._frames.values())

    def _remove(self, key: Key) -> None:
        self.size -= len(self._frames.pop(key))
