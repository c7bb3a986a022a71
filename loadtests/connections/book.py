"""What a holder writes down, at the price of a few dictionary look-ups for each delivery."""

import time
from collections import Counter

import msgspec

from checker.account import Place, Stay
from checker.ledger import Ledger
from loadtests import kinds
from loadtests.timeline import Bucket, Second, Timeline


class Sent(msgspec.Struct, gc=False):
    """What a message carries of its sender: when it was due, by which host's monotonic clock."""

    sent: float = 0.0
    host: str = ""


class Heard(msgspec.Struct, gc=False):
    """A message as it comes."""

    room: str
    seq: int
    prev: int
    id: str
    data: Sent | None = None


class Book:
    """The account and the timeline; `host` is where this process is. Times are of the monotonic clock."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.ledger = Ledger()
        self.timeline = Timeline()
        self.greeted: Counter[str] = Counter()
        """How many connections each gateway greeted."""
        self.under_way = 0
        """Messages that are not acknowledged."""
        self._ahead = 0.0
        self._number = -1
        self._second = Second()
        self._delivered = Bucket()
        self.set_clock()

    def set_clock(self) -> None:
        """Look how far the wall clock is ahead of the monotonic one; to be done every second."""
        self._ahead = time.time() - time.monotonic()

    def wall(self, now: float) -> float:
        """In seconds of the epoch."""
        return now + self._ahead

    def took(self, kind: str, seconds: float, now: float) -> None:
        """A request succeeded."""
        self.timeline.took(kind, seconds, self.wall(now))

    def failed(self, kind: str, code: str) -> None:
        """A request failed."""
        self.timeline.failed(kind, code, time.time())

    def dropped(self) -> None:
        """A connection ended without being told to."""
        self.timeline.count(kinds.DROPS, time.time())

    def heard(self, stay: Stay, message: Heard) -> None:
        """A message came; it is timed if it came at once, to a member who is in the room."""
        now = time.monotonic()
        self.ledger.received(stay, Place(message.seq, message.prev, message.id))
        number = int(now + self._ahead)
        if number != self._number or number not in self.timeline.seconds:
            self._number, self._second = number, self.timeline.at(number)
            self._delivered = self._second.kinds.setdefault(kinds.DELIVERY, Bucket())
        counts = self._second.counts
        counts[kinds.DELIVERIES] = counts.get(kinds.DELIVERIES, 0) + 1
        if stay.lasted and message.data is not None:
            if message.data.host == self.host:
                self._delivered.took(now - message.data.sent)
            else:
                counts[kinds.UNTIMED] = counts.get(kinds.UNTIMED, 0) + 1
