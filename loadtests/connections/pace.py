"""When messages are due. No I/O, no clock."""

import math


class Pace:
    """Evenly, at a rate that may change; `share` of 0 .. 1 sets several of the same rate apart from each other."""

    def __init__(self, share: float = 0.0) -> None:
        self._share = share
        self._every = math.inf
        self._next = math.inf

    def set(self, rate: float, now: float) -> None:
        """From `now` on, `rate` a second; 0: none. What has fallen due before is still due."""
        every = 1 / rate if rate > 0 else math.inf
        if math.isinf(self._every):
            self._next = now + every * self._share if rate > 0 else math.inf
        elif self._next > now:
            # It was on its way at the rate before: it comes sooner or later in proportion.
            self._next = now + (self._next - now) / self._every * every if rate > 0 else math.inf
        self._every = every

    def due(self, now: float) -> list[float]:
        """The times of those that have fallen due since the last call, in order."""
        found: list[float] = []
        while self._next <= now:
            found.append(self._next)
            self._next += self._every
        return found


def steps(rate: float, factor: float, most: int) -> list[float]:
    """The rates of a load that goes up by `factor` from step to step; each is higher than the one before."""
    return [float(f"{rate * factor**number:.3g}") for number in range(most)]
