"""Whether an account keeps the promise. No I/O, no clock.

The promise: an acknowledged message reaches every member of its room exactly once, in order, and is in history.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from loadtests.account import Account, Place, Stay


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out of order"
    HOLE = "hole"
    """`prev` is not the message that this reader received before."""
    MISPLACED = "misplaced"
    """Seen, or acknowledged again, at another seq than it was first acknowledged at."""
    UNKNOWN = "unknown"
    """Nobody sent it to this room."""


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
    for room, seq, id in map(msgspec.structs.astuple, account.acknowledged):
        if stored[room].setdefault(id, seq) != seq:
            yield Violation(Kind.MISPLACED, ACKNOWLEDGEMENT, room, seq, id)
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
        for kind in _faults(place, last, seen, stored):
            yield Violation(kind, reader.reader, reader.room, place.seq, place.id)
        seen.add(place.id)
        last = place.seq if last is None else max(last, place.seq)
    if reader.lasted and reader.after is not None:
        for id, seq in stored.items():
            if seq > reader.after and id not in seen:
                yield Violation(Kind.LOST, reader.reader, reader.room, seq, id)


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
