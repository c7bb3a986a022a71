"""A member of a room that only counts."""

from typing import Final

from loadtests.bench.frames import MARK, PingFinder
from loadtests.bench.talker import Talker
from loadtests.light.connection import BUFFER, Connection
from loadtests.light.frames import PONG

_count: Final = BUFFER.count


class Listener(Connection):
    """Counts marks and answers pings; looks at nothing else."""

    __slots__ = ("_pings", "audience", "heard")

    def __init__(self, talker: Talker) -> None:
        super().__init__(talker.on_lost)
        self.audience = talker.audience
        self.heard = talker.heard
        self.lost = talker.lost
        self._pings = PingFinder()
        self.transport = talker.transport
        if self.transport is not None:
            self.transport.set_protocol(self)

    def buffer_updated(self, size: int) -> None:
        """The hot path of every benchmark."""
        count = _count(MARK, 0, size)
        if count:
            before = self.heard
            self.heard = after = before + count
            self.audience.moved(before, after)  # type: ignore[union-attr] # a listener is in a room
        if self._pings.found(BUFFER, size):
            self.write(PONG)


Member = Talker | Listener
