"""The account of every message: what was acknowledged, and what each reader received. No I/O, no clock.

Who was a member is told by the room's own order and not by time: a join is acknowledged with the room's seq, and
everything above it is owed to the member for as long as the stay lasts.
"""

import msgspec


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A message where somebody saw it."""

    seq: int
    prev: int
    id: str


class Acknowledged(msgspec.Struct, frozen=True, array_like=True):
    """What the acknowledgement of a message said."""

    room: str
    seq: int
    id: str
    sender: str = ""
    """Who sends one message at a time and is named here has them acknowledged at rising seqs."""


class Stay(msgspec.Struct):
    """One reader in one room on one connection. `received` is in the order of arrival."""

    reader: str
    room: str
    after: int | None = None
    """Everything above this seq is owed; None until the join is acknowledged."""
    received: list[Place] = []
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


class Account(msgspec.Struct):
    """The facts. Message ids are unique in all of it."""

    acknowledged: list[Acknowledged] = []
    unconfirmed: set[str] = set()
    """Ids that were sent and whose outcome nobody told: each may have been stored, or not."""
    stays: list[Stay] = []
    history: dict[str, list[Place]] = {}
    """Every room that was written to, read from its beginning after the last acknowledgement."""

    def add(self, other: "Account") -> None:
        """What another process has written down of the same run; its readers and senders are others."""
        self.acknowledged += other.acknowledged
        self.unconfirmed |= other.unconfirmed
        self.stays += other.stays
