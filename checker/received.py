"""What readers received, in little memory: who is told the same as others costs two numbers. No I/O, no clock.

This is a way of writing down, and believes nothing: a place that differs in anything is another place.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import overload

import msgspec


class Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A message where somebody saw it."""

    seq: int
    prev: int
    id: str


class Log(msgspec.Struct, dict=True):
    """The places of one room, each once, in the order in which anybody first saw them.

    It has no fields, so that nothing of it is written with each of its readers: `Account.logs` has it, once.
    """

    def __post_init__(self) -> None:
        self.places: list[Place] = []
        self._numbers: dict[Place, int] = {}

    @classmethod
    def of(cls, places: list[Place]) -> "Log":
        """Of what is there; the list is used as it is, and grows."""
        log = cls()
        log.places = places
        log._numbers = {place: number for number, place in enumerate(places)}
        return log

    def number(self, place: Place) -> int:
        """Where `place` is; at the end when nobody saw it before."""
        number = self._numbers.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        return number


class Received(msgspec.Struct, eq=False, gc=False):
    """What one reader received, in the order of arrival: a sequence of `Place` that only grows.

    To write down something else, put a plain list in its stead.
    """

    log: Log = msgspec.field(default_factory=Log)
    ranges: list[int] = []
    """Of the log: first, end, first, end, ... as `range` has them."""

    def append(self, place: Place) -> None:
        """It came. Two numbers as long as it is what others were told next, too; else two more."""
        number, ranges = self.log.number(place), self.ranges
        if ranges and ranges[-1] == number:
            ranges[-1] = number + 1
        else:
            ranges += (number, number + 1)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The ranges, one by one."""
        numbers = iter(self.ranges)
        return zip(numbers, numbers, strict=True)

    def move(self, log: Log, numbers: Sequence[int], breaks: Sequence[int]) -> None:
        """To `log`, where the place number n has the number `numbers[n]`; at `breaks` that is not the next one."""
        moved: list[int] = []
        for first, end in self.pairs():
            cuts = [first, *breaks[bisect_right(breaks, first) : bisect_left(breaks, end)], end]
            for begin, stop in pairwise(cuts):
                moved += (numbers[begin], numbers[stop - 1] + 1)
        self.log, self.ranges = log, moved

    def is_sound(self) -> bool:
        """Whether there are such ranges in its log."""
        places = len(self.log.places)
        return len(self.ranges) % 2 == 0 and all(0 <= first < end <= places for first, end in self.pairs())

    def __len__(self) -> int:
        return sum(self.ranges[1::2]) - sum(self.ranges[::2])

    def __iter__(self) -> Iterator[Place]:
        for first, end in self.pairs():
            yield from self.log.places[first:end]

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> list[Place]: ...
    def __getitem__(self, index: int | slice) -> Place | list[Place]:
        if index == -1 and self.ranges:  # it is asked for often
            return self.log.places[self.ranges[-1] - 1]
        return list(self)[index]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Received | list) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
