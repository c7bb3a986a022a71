"""Whether an account keeps the promise. No I/O, no clock.

The promise: an acknowledged message reaches every member of its room exactly once, in order, and is in history.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from checker.account import Account, Acknowledged, Place, Stay
from checker.received import Received
from checker.room import Room
from checker.violations import ACKNOWLEDGEMENT, HISTORY, LOST, Kind, Violation

__all__ = ["ACKNOWLEDGEMENT", "HISTORY", "SHOWN_MOST", "Kind", "Verdict", "Violation", "judge"]

SHOWN_MOST: Final = 20

T = TypeVar("T", Acknowledged, Stay)


class Verdict(msgspec.Struct, frozen=True):
    """How many of everything, and the first `SHOWN_MOST` violations."""

    acknowledged: int
    unconfirmed: int
    refused: int
    deliveries: int
    """All messages that came to anybody."""
    expected: int
    """Deliveries: each stored message, once for each member at the time."""
    received: int
    """What came to members; when nothing is wrong, just what was expected."""
    stays: int
    stays_cut_off: int
    counts: dict[Kind, int]
    """By what is wrong; that of the history counts, too."""
    shown: list[Violation]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong, and there was something that could have been."""
        return not self.counts and self.acknowledged > 0 and self.stays > self.stays_cut_off

    @property
    def sent(self) -> int:
        """All messages, whatever became of them."""
        return self.acknowledged + self.refused + self.unconfirmed

    @property
    def lost(self) -> int:
        """How often a stored message was missing, to a member or in history."""
        return sum(self.counts.get(kind, 0) for kind in LOST)

    @property
    def duplicates(self) -> int:
        """How often one came that had come in the same stay."""
        return self.counts.get(Kind.DUPLICATE, 0)

    @property
    def out_of_order(self) -> int:
        """How often one came after a newer one."""
        return self.counts.get(Kind.OUT_OF_ORDER, 0)


def judge(account: Account) -> Verdict:
    """Compare what was acknowledged with what was received, by every member and by a reader of the history.

    A stay that was told nothing but what it was owed costs no more than its ranges; any other, what it received.
    """
    counts: Counter[Kind] = Counter()
    shown: list[Violation] = []

    def note(violations: Iterable[Violation]) -> None:
        for each in violations:
            counts[each.kind] += 1
            if len(shown) < SHOWN_MOST:
                shown.append(each)

    expected = 0
    acknowledged, stays = _by_room(account.acknowledged), _by_room(account.stays)
    for name in sorted(acknowledged.keys() | stays.keys() | account.history.keys()):
        stored: dict[str, int] = {}
        note(_store(acknowledged.get(name, ()), stored))
        readers = list(stays.get(name, ()))
        if name in acknowledged or name in account.history:
            read = account.history.get(name, [])
            readers.append(Stay(HISTORY, name, 0, read, lasted=name not in account.unread))
        # A message without an acknowledgement was stored if anybody saw it; then it is owed to all.
        for place in _seen(readers, account.unconfirmed):
            stored.setdefault(place.id, place.seq)
        room = Room(stored)
        for reader in readers:
            note(room.violations(reader))
        expected += sum(room.owed(stay) for stay in stays.get(name, ()))
    return Verdict(
        acknowledged=len(account.acknowledged),
        unconfirmed=len(account.unconfirmed),
        refused=account.refused,
        deliveries=sum(len(stay.received) for stay in account.stays),
        expected=expected,
        received=sum(len(stay.received) for stay in account.stays if stay.member),
        stays=len(account.stays),
        stays_cut_off=sum(not stay.lasted for stay in account.stays),
        counts=dict(counts),
        shown=shown,
    )


def _by_room(things: Iterable[T]) -> dict[str, list[T]]:
    rooms: defaultdict[str, list[T]] = defaultdict(list)
    for each in things:
        rooms[each.room].append(each)
    return rooms


def _store(acknowledged: Iterable[Acknowledged], stored: dict[str, int]) -> Iterator[Violation]:
    last_of: dict[str, int] = {}
    for room, seq, id, sender in map(msgspec.structs.astuple, acknowledged):
        if stored.setdefault(id, seq) != seq:
            yield Violation(Kind.MISPLACED, ACKNOWLEDGEMENT, room, seq, id)
        if sender and seq <= last_of.get(sender, 0):
            yield Violation(Kind.OUT_OF_ORDER, ACKNOWLEDGEMENT, room, seq, id)
        last_of[sender] = seq


def _seen(readers: Iterable[Stay], ids: Collection[str]) -> Iterator[Place]:
    """The places of these messages, where readers received them; in the readers' order."""
    if not ids:
        return
    found: dict[int, list[int]] = {}  # where in a log: which many readers share
    for reader in readers:
        if not isinstance(reader.received, Received):
            yield from (place for place in reader.received if place.id in ids)
            continue
        log = reader.received.log
        if id(log) not in found:
            found[id(log)] = [number for number, place in enumerate(log.places) if place.id in ids]
        numbers = found[id(log)]
        for first, end in reader.received.pairs() if numbers else ():
            yield from (log.places[each] for each in numbers[bisect_left(numbers, first) : bisect_left(numbers, end)])
