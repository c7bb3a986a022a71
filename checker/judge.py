"""Whether an account keeps the promise. No I/O, no clock.

The promise: an acknowledged message reaches every member of its room exactly once, in order, and is in history.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from checker.account import Account, Place, Stay


class Kind(StrEnum):
    """What can be wrong."""

    LOST_HEAD = "lost head"
    """Owed, and older than all that came in this stay: resuming lost it."""
    LOST_MIDDLE = "lost middle"
    """Owed, and both older and newer ones came."""
    LOST_TAIL = "lost tail"
    """Owed, and nothing newer came."""
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out of order"
    HOLE = "hole"
    """`prev` is not the message that this reader received before."""
    MISPLACED = "misplaced"
    """Seen, or acknowledged again, at another seq than it was first acknowledged at."""
    UNKNOWN = "unknown"
    """Nobody sent it to this room, or its sender was told that it is not stored."""
    NOT_A_MEMBER = "not a member"
    """It came to somebody who is not in the room."""


class Violation(msgspec.Struct, frozen=True):
    """One broken promise. The reader is a user, or `HISTORY`, or `ACKNOWLEDGEMENT`."""

    kind: Kind
    reader: str
    room: str
    seq: int
    id: str


HISTORY: Final = "(history)"
ACKNOWLEDGEMENT: Final = "(acknowledgement)"
SHOWN_MOST: Final = 20


class Verdict(msgspec.Struct, frozen=True):
    """How many of everything, and the first `SHOWN_MOST` violations."""

    acknowledged: int
    unconfirmed: int
    deliveries: int
    stays: int
    stays_cut_off: int
    counts: dict[Kind, int]
    shown: list[Violation]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong, and there was something that could have been."""
        return not self.counts and self.acknowledged > 0 and self.stays > self.stays_cut_off


def judge(account: Account) -> Verdict:
    """Compare what was acknowledged with what was received, by every member and by a reader of the history."""
    counts: Counter[Kind] = Counter()
    shown: list[Violation] = []
    for each in _violations(account):
        counts[each.kind] += 1
        if len(shown) < SHOWN_MOST:
            shown.append(each)
    return Verdict(
        acknowledged=len(account.acknowledged),
        unconfirmed=len(account.unconfirmed),
        deliveries=sum(len(stay.received) for stay in account.stays),
        stays=len(account.stays),
        stays_cut_off=sum(not stay.lasted for stay in account.stays),
        counts=dict(counts),
        shown=shown,
    )


def _violations(account: Account) -> Iterator[Violation]:
    stored: defaultdict[str, dict[str, int]] = defaultdict(dict)
    last_of: dict[tuple[str, str], int] = {}
    for room, seq, id, sender in map(msgspec.structs.astuple, account.acknowledged):
        if stored[room].setdefault(id, seq) != seq:
            yield Violation(Kind.MISPLACED, ACKNOWLEDGEMENT, room, seq, id)
        if sender and seq <= last_of.get((sender, room), 0):
            yield Violation(Kind.OUT_OF_ORDER, ACKNOWLEDGEMENT, room, seq, id)
        last_of[sender, room] = seq
    rooms = stored.keys() | account.history.keys()
    histories = [Stay(HISTORY, room, 0, account.history.get(room, []), lasted=True) for room in sorted(rooms)]
    readers = account.stays + histories
    # A message without an acknowledgement was stored if anybody saw it; then it is owed to all.
    for reader in readers:
        for place in reader.received:
            if place.id in account.unconfirmed:
                stored[reader.room].setdefault(place.id, place.seq)
    for reader in readers:
        yield from _violations_of(reader, stored[reader.room])


def _violations_of(reader: Stay, stored: Mapping[str, int]) -> Iterator[Violation]:
    seen: set[str] = set()
    last = reader.after
    for place in reader.received:
        for kind in _faults(place, last, seen, stored) if reader.member else (Kind.NOT_A_MEMBER,):
            yield Violation(kind, reader.reader, reader.room, place.seq, place.id)
        seen.add(place.id)
        last = place.seq if last is None else max(last, place.seq)
    yield from _lost(reader, stored, seen)


def _lost(reader: Stay, stored: Mapping[str, int], seen: Collection[str]) -> Iterator[Violation]:
    seqs = [place.seq for place in reader.received]
    first, last = min(seqs, default=None), max(seqs, default=0)
    after = reader.after if reader.after is not None else first
    if not reader.member or after is None:
        return  # nothing is owed
    for id, seq in stored.items():
        if id not in seen and seq > after and (reader.lasted or seq <= max(reader.upto, last)):
            kind = Kind.LOST_TAIL if seq > last else Kind.LOST_MIDDLE if first and seq > first else Kind.LOST_HEAD
            yield Violation(kind, reader.reader, reader.room, seq, id)


def _faults(place: Place, last: int | None, seen: Collection[str], stored: Mapping[str, int]) -> Iterator[Kind]:
    if place.id not in stored:
        yield Kind.UNKNOWN
    elif stored[place.id] != place.seq:
        yield Kind.MISPLACED
    if place.id in seen:
        yield Kind.DUPLICATE
    elif last is not None and place.seq <= last:
        yield Kind.OUT_OF_ORDER
    elif last is not None and place.prev != last:
        yield Kind.HOLE
