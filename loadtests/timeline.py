"""What happened in which second: how often, how long it took, how it failed. No I/O, no clock of its own.

Seconds are those of the wall clock (of the epoch), so that what several processes and hosts write down can be added
up. Durations are kept as counts of ranges that are 2 % wide, so that percentiles of any span are exact to 1 %.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

_WIDTH: Final = math.log(1.02)
_LEAST_SECONDS: Final = 1e-6


class Bucket(msgspec.Struct):
    """One kind of request, in one second or in several."""

    durations: dict[int, int] = {}
    """How many of those that succeeded took so long: by the number of the range."""
    failures: dict[str, int] = {}
    """How many failed, by code."""

    @property
    def succeeded(self) -> int:
        """How many."""
        return sum(self.durations.values())

    @property
    def failed(self) -> int:
        """How many."""
        return sum(self.failures.values())

    def took(self, seconds: float) -> None:
        """One that succeeded. A negative duration, which only a bad clock makes, counts as the shortest."""
        number = math.ceil(math.log(max(seconds, _LEAST_SECONDS) / _LEAST_SECONDS) / _WIDTH)
        self.durations[number] = self.durations.get(number, 0) + 1

    def fail(self, code: str) -> None:
        """One that did not."""
        self.failures[code] = self.failures.get(code, 0) + 1

    def add(self, other: "Bucket") -> None:
        """What is in `other`, too."""
        # In place: a run of hours has tens of thousands of buckets to add up, for every objective.
        for number, count in other.durations.items():
            self.durations[number] = self.durations.get(number, 0) + count
        for code, count in other.failures.items():
            self.failures[code] = self.failures.get(code, 0) + count

    def percentile(self, part: float) -> float | None:
        """In seconds, to 1 %; `part` is from 0 to 1. None when none succeeded."""
        rank, seen = max(1, math.ceil(part * self.succeeded)), 0
        for number in sorted(self.durations):
            seen += self.durations[number]
            if seen >= rank:
                return _LEAST_SECONDS * math.exp((number - 0.5) * _WIDTH)
        return None


class Second(msgspec.Struct):
    """One second of the wall clock."""

    kinds: dict[str, Bucket] = {}
    counts: dict[str, int] = {}
    """What is counted and takes no time: see `kinds.COUNTS`."""
    levels: dict[str, float] = {}
    """What is so many at a time, as last seen in this second; added up over the processes. See `kinds.LEVELS`."""


class Timeline(msgspec.Struct):
    """All seconds in which anything happened."""

    seconds: dict[int, Second] = {}

    def at(self, now: float) -> Second:
        """The second of `now`, which is in seconds of the epoch."""
        return self.seconds.setdefault(int(now), Second())

    def took(self, kind: str, seconds: float, now: float) -> None:
        """A request succeeded."""
        self.at(now).kinds.setdefault(kind, Bucket()).took(seconds)

    def failed(self, kind: str, code: str, now: float) -> None:
        """A request failed."""
        self.at(now).kinds.setdefault(kind, Bucket()).fail(code)

    def count(self, name: str, now: float, by: int = 1) -> None:
        """Something happened."""
        counts = self.at(now).counts
        counts[name] = counts.get(name, 0) + by

    def level(self, name: str, value: float, now: float) -> None:
        """So many there are now."""
        self.at(now).levels[name] = value

    def add(self, other: "Timeline") -> None:
        """What another process has written down."""
        for number, theirs in other.seconds.items():
            ours = self.seconds.setdefault(number, Second())
            for kind, bucket in theirs.kinds.items():
                ours.kinds.setdefault(kind, Bucket()).add(bucket)
            ours.counts = dict(Counter(ours.counts) + Counter(theirs.counts))
            for name, value in theirs.levels.items():
                ours.levels[name] = ours.levels.get(name, 0.0) + value

    def taken(self, before: float) -> "Timeline":
        """Hand over, and forget, what lies before the second of `before`: a second is handed over whole, and once."""
        over = {number: self.seconds.pop(number) for number in sorted(self.seconds) if number + 1 <= before}
        return Timeline(over)

    def between(self, begin: float, end: float) -> Iterator[tuple[int, Second]]:
        """The seconds that lie in `begin` .. `end`, in order."""
        return ((number, self.seconds[number]) for number in sorted(self.seconds) if begin <= number < end)

    def total(self, kind: str, begin: float = 0.0, end: float = math.inf) -> Bucket:
        """One kind of request, in all these seconds."""
        return sum_of(second.kinds[kind] for _, second in self.between(begin, end) if kind in second.kinds)

    def counted(self, name: str, begin: float = 0.0, end: float = math.inf) -> int:
        """How often something happened in these seconds."""
        return sum(second.counts.get(name, 0) for _, second in self.between(begin, end))

    def kinds(self) -> list[str]:
        """Of all requests that there were, by name."""
        return sorted({kind for second in self.seconds.values() for kind in second.kinds})


def sum_of(buckets: Iterable[Bucket]) -> Bucket:
    """Added up."""
    total = Bucket()
    for each in buckets:
        total.add(each)
    return total
