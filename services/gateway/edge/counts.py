"""How many there are of each."""

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


class Counts(dict[K, int]):
    """Of keys that come and go: one of which there is none takes no place."""

    def __missing__(self, key: K) -> int:
        return 0

    def add(self, key: K) -> None:
        """One more."""
        self[key] += 1

    def remove(self, key: K) -> None:
        """One of those that were added has gone."""
        if self[key] > 1:
            self[key] -= 1
        else:
            del self[key]
