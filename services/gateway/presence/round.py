"""Which of its rooms a gateway stands up for next, so that each has its turn. Rules, no I/O."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Final

from services.gateway.presence.view import View

_ROOMS_PER_SECOND: Final = 200
"""So 10,000 take 50 s."""
_HEARD_PER_SECOND: Final = 2000
"""By all the others together: so what each hears does not grow with how many they are."""


class Round:
    """Of `views`, which come and go; `next` is called every `turn` seconds. It takes `shortest` seconds at least."""

    def __init__(self, views: Mapping[str, View], *, turn: float, shortest: float) -> None:
        self._views = views
        self._turn = turn
        self._shortest = shortest
        self._left: list[str] = []
        """The last is the next."""
        self._seconds = (shortest, shortest)
        """How long this round takes, and how long the one before took."""

    @property
    def standing(self) -> float:
        """Each had its last turn not longer ago than about so many seconds."""
        # When rooms become fewer it is still as long as it was, until each of the others had its turn among the few.
        return max(len(self._views) / _ROOMS_PER_SECOND, *self._seconds)

    def next(self) -> Iterator[View]:
        """Those whose turn it is."""
        if not self._left:
            self._begin()
        most = ceil(min(len(self._views) / self._shortest, _ROOMS_PER_SECOND) * self._turn)
        heard_most = _HEARD_PER_SECOND * self._turn
        while most and heard_most > 0 and self._left:
            view = self._views.get(self._left.pop())
            if view is not None:  # whoever was closed takes nobody's turn
                most -= 1
                heard_most -= view.others
                yield view

    def _begin(self) -> None:
        self._left = list(self._views)[::-1]
        heard = sum(view.others for view in self._views.values())
        seconds = max(self._shortest, len(self._left) / _ROOMS_PER_SECOND, heard / _HEARD_PER_SECOND)
        self._seconds = (seconds, self._seconds[0])
