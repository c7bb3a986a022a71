"""What was stored in one room, and whether a stay there received it. No I/O, no clock."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence

from checker.account import Place, Stay
from checker.received import Log, Received
from checker.violations import Kind, Violation


class Room:
    """The room of which `stored` are all messages: their seqs by id."""

    def __init__(self, stored: Mapping[str, int]) -> None:
        self._stored = stored
        self._ids = sorted(stored, key=stored.__getitem__)
        self._seqs = [stored[id] for id in self._ids]
        self._ends: dict[int, list[int]] = {}

    def owed(self, stay: Stay) -> int:
        """How many messages its reader had to receive."""
        return len(self._window(stay))

    def violations(self, stay: Stay) -> Iterator[Violation]:
        """All that is wrong with it."""
        if self._is_in_line(stay):
            return
        seen: set[str] = set()
        last = stay.after
        for place in stay.received:
            for kind in _faults(place, last, seen, self._stored) if stay.member else (Kind.NOT_A_MEMBER,):
                yield Violation(kind, stay.reader, stay.room, place.seq, place.id)
            seen.add(place.id)
            last = place.seq if last is None else max(last, place.seq)
        yield from self._lost(stay, seen)

    def _lost(self, stay: Stay, seen: Collection[str]) -> Iterator[Violation]:
        seqs = [place.seq for place in stay.received]
        first, last = min(seqs, default=None), max(seqs, default=0)
        for at in self._window(stay):
            id, seq = self._ids[at], self._seqs[at]
            if id not in seen:
                kind = Kind.LOST_TAIL if seq > last else Kind.LOST_MIDDLE if first and seq > first else Kind.LOST_HEAD
                yield Violation(kind, stay.reader, stay.room, seq, id)

    def _window(self, stay: Stay) -> range:
        """Where in the room's order what is owed to it begins and ends."""
        if not stay.member:
            return range(0)
        begin, end = 0, len(self._seqs)
        if stay.after is not None:
            begin = bisect_right(self._seqs, stay.after)
        elif stay.received:
            begin = bisect_left(self._seqs, min(self._outer_seqs(stay.received)))
        else:
            return range(0)  # its join was never acknowledged, and nothing came
        if not stay.lasted:
            end = bisect_right(self._seqs, max(stay.upto, max(self._outer_seqs(stay.received), default=0)))
        return range(begin, max(begin, end))

    # --- quick ways, for what is in line ----------------------------------------------------------------------------

    def _is_in_line(self, stay: Stay) -> bool:
        """Whether it received just what is owed to it, and is compact enough to see that from its ranges.

        Rising seqs of stored messages are of different ones: as many as are owed are all of them.
        """
        if not isinstance(stay.received, Received):
            return False
        log, last = stay.received.log, stay.after
        ends = self._ends_in(log)
        for first, end in stay.received.pairs():
            place = log.places[first]
            if ends[first] < end or self._stored.get(place.id) != place.seq:
                return False
            if last is not None and not place.prev == last < place.seq:
                return False
            last = log.places[end - 1].seq
        return len(stay.received) == self.owed(stay)

    def _outer_seqs(self, received: Received | Sequence[Place]) -> Iterator[int]:
        """Among them the least and the greatest seq."""
        if not isinstance(received, Received):
            yield from (place.seq for place in received)
            return
        ends, places = self._ends_in(received.log), received.log.places
        for first, end in received.pairs():
            if ends[first] >= end:
                yield from (places[first].seq, places[end - 1].seq)
            else:
                yield from (place.seq for place in places[first:end])

    def _ends_in(self, log: Log) -> list[int]:
        """For each number in it, where the places cease that follow each other as they should."""
        ends = self._ends.get(id(log))
        if ends is None:
            places = log.places
            ends = self._ends[id(log)] = [len(places)] * len(places)
            for number in range(len(places) - 1, 0, -1):
                before, place = places[number - 1], places[number]
                is_next = place.prev == before.seq < place.seq and self._stored.get(place.id) == place.seq
                ends[number - 1] = ends[number] if is_next else number
        return ends


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
