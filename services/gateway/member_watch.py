"""Answers about membership that are out of date before they are used."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from services.gateway.replies import Done
from wire.control import MembersChanged


class Visit:
    """Somebody who is about to be let into private rooms, because they are said to be a member."""

    __slots__ = ("entering", "is_over", "user")

    def __init__(self, user: str) -> None:
        self.user: Final = user
        self.is_over = False
        """They were removed from one of the rooms since: what was said may be out of date."""
        self.entering: asyncio.Task[Done] | None = None
        """Cancelled then."""

    def end(self) -> None:
        """They may not enter."""
        self.is_over = True
        if self.entering is not None:
            self.entering.cancel()


class MemberWatch:
    """Watches those who are about to enter; members who are in are the rooms' business."""

    def __init__(self) -> None:
        self._visits: defaultdict[str, set[Visit]] = defaultdict(set)

    @contextmanager
    def of(self, user: str, rooms: Iterable[str]) -> Iterator[Visit]:
        """Watch `user` while the block runs: to be begun before it is asked who is a member of `rooms`."""
        visit, visited = Visit(user), tuple(rooms)
        for room in visited:
            self._visits[room].add(visit)
        try:
            yield visit
        finally:
            for room in visited:
                self._visits[room].discard(visit)
                if not self._visits[room]:
                    del self._visits[room]

    def note(self, change: MembersChanged) -> None:
        """Some are no members any more."""
        for visit in self._visits.get(change.room, ()):
            if visit.user in change.removed:
                visit.end()
