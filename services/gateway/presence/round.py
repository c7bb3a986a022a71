"""Which of its rooms a gateway stands up for next, so that each has its turn. Rules, no I/O."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Final

from services.gateway.presence.view import View

_PER_SECOND: Final = 200
"""Rooms: so 10,000 take 50 s."""


class Round:
    """Of `views`, which come and go; `next` is called every `turn` seconds. It takes `shortest` seconds at least."""

    def __init__(self, views: Mapping[str, View], *, turn: float, shortest: float) -> None:
        self._views = views
        self._turn = turn
        self._shortest = shortest
        self._left: list[str] = []
        """The last is the next."""
        self._began_with = (0, 0)
        """How many there were when this round began, and the one before."""

    @property
    def standing(self) -> float:
        """Each had its last turn not longer ago than about so many seconds."""
        # When rooms become fewer it is still as long as it was, until each of the others had its turn among the few.
        return max(self._shortest, max(len(self._views), *self._began_with) / _PER_SECOND)

    def next(self) -> Iterator[View]:
        """Those whose turn it is."""
        if not self._left:
            self._left = list(self._views)[::-1]
            self._began_with = (len(self._left), self._began_with[0])
        most = ceil(min(len(self._views) / self._shortest, _PER_SECOND) * self._turn)
        while most and self._left:
            view = self._views.get(self._left.pop())
            if view is not None:  # whoever was closed takes nobody's turn
                most -= 1
                yield view
