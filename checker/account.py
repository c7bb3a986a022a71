"""The account of every message: what was acknowledged, and what each reader received. No I/O, no clock.

Who was a member is told by the room's own order and not by time: a join is acknowledged with the room's seq, and
everything above it is owed to the member for as long as the stay lasts.
"""

from collections import defaultdict

import msgspec

from checker.received import Log, Place, Received

__all__ = ["Account", "Acknowledged", "Place", "Stay"]


class Acknowledged(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the acknowledgement of a message said."""

    room: str
    seq: int
    id: str
    sender: str = ""
    """Who sends one message at a time and is named here has them acknowledged at rising seqs."""


class Stay(msgspec.Struct, omit_defaults=True):
    """One reader in one room on one connection. `received` is in the order of arrival."""

    reader: str
    room: str
    after: int | None = None
    """Everything above this seq is owed; None until the join is acknowledged."""
    received: Received | list[Place] = []
    """A sequence of `Place`, either way. A ledger's is compact, and belongs to the account that it is in."""
    lasted: bool = False
    """Whether it lasted to the end of the run. One that was cut off may lack the end, and nothing before it."""
    upto: int = 0
    """Everything up to this seq is owed, also when it did not last."""
    member: bool = True
    """False: the reader never asked to be in the room, or had left it. Nothing is owed, and nothing may come."""

    @property
    def position(self) -> int | None:
        """The seq of the last message received: where to resume."""
        return self.received[-1].seq if self.received else self.after


class Account(msgspec.Struct, dict=True):
    """The facts. Message ids are unique in all of it.

    It can be written as JSON and as MessagePack, and be read again; raises `ValueError` (read: `ValidationError`)
    when a stay has received what is in no log.
    """

    acknowledged: list[Acknowledged] = []
    unconfirmed: set[str] = set()
    """Ids that were sent and whose outcome nobody told: each may have been stored, or not."""
    refused: int = 0
    """How many were not stored, for certain."""
    stays: list[Stay] = []
    history: dict[str, list[Place]] = {}
    """Every room that was written to, read from its beginning after the last acknowledgement."""
    unread: set[str] = set()
    """Rooms whose history could not be read to its end: what is missing there is not known to be lost."""
    logs: dict[str, list[Place]] = {}
    """By room, what the compact ones of `Stay.received` refer to."""

    def __post_init__(self) -> None:
        self._logs: dict[str, Log] = {}
        for stay in self.stays:
            if isinstance(stay.received, Received):
                stay.received.log = self.log(stay.room)
                if not stay.received.is_sound():
                    raise ValueError(f"{stay.reader} received in {stay.room} what is not in its log")

    @property
    def rooms(self) -> list[str]:
        """The rooms in which a message was acknowledged, in order."""
        return sorted({each.room for each in self.acknowledged})

    def log(self, room: str) -> Log:
        """What anybody saw there."""
        log = self._logs.get(room)
        if log is None:
            log = self._logs[room] = Log.of(self.logs.setdefault(room, []))
        return log

    def add(self, other: "Account") -> None:
        """What another process has written down of the same run; its readers and senders are others.

        Its stays are taken over: `other` is of no use after this.
        """
        self.acknowledged += other.acknowledged
        self.unconfirmed |= other.unconfirmed
        self.refused += other.refused
        compact: defaultdict[str, list[Received]] = defaultdict(list)
        for stay in other.stays:
            if isinstance(stay.received, Received):
                compact[stay.room].append(stay.received)
        for room, moving in compact.items():
            log = self.log(room)
            numbers = [log.number(place) for place in other.logs[room]]
            breaks = [at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1] + 1]
            for received in moving:
                received.move(log, numbers, breaks)
        self.stays += other.stays

    def adopt(self) -> None:
        """Some senders' accounts are missing: what anybody saw and nobody here has sent is of unknown outcome."""
        plain = [stay.received for stay in self.stays if isinstance(stay.received, list)]
        seen = {place.id for places in (*self.logs.values(), *self.history.values(), *plain) for place in places}
        self.unconfirmed |= seen - {each.id for each in self.acknowledged}
