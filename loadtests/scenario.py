"""Who sits where: which user has which token, gateways and rooms; and what all users of a process share."""

import heapq
import itertools
import math
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from checker.ledger import Ledger
from loadtests import generator
from loadtests.timeline import Timeline

if TYPE_CHECKING:  # whoever imports Locust has the standard library patched: not those who only ask for a seat
    from locust.env import Environment

ROOMS_EACH: Final = 3
BOARD_MEMBERS: Final = 5
"""How many dashboards share a room, and hear one another."""
DASHBOARD: Final = "dashboard"
_CRASHES_MOST: Final = 20


class Seat:
    """One user's place, which others take when the user has left. Its message ids are unique in all runs."""

    def __init__(self, name: str, urls: Sequence[str], token: str, rooms: Sequence[str], ids: Iterator[str]) -> None:
        self.name = name
        self.urls = urls
        """All gateways: the seat's own first."""
        self.token = token
        self.rooms = rooms
        self._ids = ids

    def next_id(self) -> str:
        """A message id that nobody used."""
        return next(self._ids)


class Connected(Protocol):
    """A user's line to the system, as others have to know it."""

    lost_at: float | None
    """By the monotonic clock, when a user who was in all rooms lost the connection, and is not back in them."""
    has_come: bool
    """Whether the user was in all rooms, once."""

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""

    def drop(self) -> None:
        """End the connection at once, without a word; it comes back by itself."""


class Scenario:
    """One process's part of a run, which is number `index` of `count`. The run's rooms are its own.

    `think`: seconds between two messages of one who chats, on average.
    """

    def __init__(
        self,
        urls: Sequence[str],
        tokens: Sequence[str],
        rooms: int,
        *,
        run: str,
        index: int = 0,
        count: int = 1,
        think: float = 10.0,
    ) -> None:
        self.ledger = Ledger()
        self.timeline = Timeline()
        self.urls = urls
        self.host = generator.host()
        self.think = think
        self.is_closing = False
        """Once true, nothing new is sent."""
        self.lines: set[Connected] = set()
        """Of all users that there are now."""
        self.gateways: Counter[str] = Counter()
        """How many connections each gateway greeted."""
        self.crashes: list[str] = []
        """Defects of the load test: the first few."""
        self._tokens = tokens
        self._run = f"load-{run}"
        self._rooms = [f"{self._run}-{number}" for number in range(rooms)]
        self._index, self._count = index, count
        self._numbers = _Numbers()
        self._ordinals: defaultdict[str, _Numbers] = defaultdict(_Numbers)
        self._taken: dict[Seat, tuple[int, str, int]] = {}
        self._ids: dict[str, Iterator[str]] = {}

    @property
    def connected(self) -> int:
        """How many users are connected."""
        return sum(line.is_open for line in self.lines)

    @property
    def is_settled(self) -> bool:
        """No outcome is awaited, everybody has all that is known, and whoever lost a connection is back."""
        return self.ledger.is_settled and not self.away()

    @property
    def coming(self) -> int:
        """How many users have not come into their rooms yet."""
        return sum(not line.has_come for line in self.lines)

    def away(self, since: float = math.inf) -> int:
        """How many lost a connection before `since`, by the monotonic clock, and are not back in their rooms."""
        return sum(line.lost_at is not None and line.lost_at <= since for line in self.lines)

    # --- seats ------------------------------------------------------------------------------------------------------

    def seat(self, kind: str) -> Seat:
        """A free one: its token is used by nobody else, in no process of the run, as far as tokens go.

        Neighbours of a kind share rooms and not gateways, so that rooms span all gateways.
        """
        number, ordinal = self._numbers.take(), self._ordinals[kind].take()
        seat = self._seat(number, kind, ordinal)
        self._taken[seat] = (number, kind, ordinal)
        return seat

    def leave(self, seat: Seat) -> None:
        """Its user is gone."""
        number, kind, ordinal = self._taken.pop(seat)
        self._numbers.give_back(number)
        self._ordinals[kind].give_back(ordinal)

    def _seat(self, number: int, kind: str, ordinal: int) -> Seat:
        number = number * self._count + self._index
        ordinal = ordinal * self._count + self._index
        first = ordinal % len(self.urls)
        urls = [*self.urls[first:], *self.urls[:first]]
        name, token = f"{kind}-{number + 1}", self._tokens[number % len(self._tokens)]
        # They go on where the last one on a seat of this name has ceased.
        ids = self._ids.setdefault(name, (f"{self._run}-{name}-{count}" for count in itertools.count(1)))
        return Seat(name, urls, token, self._rooms_of(kind, ordinal), ids)

    def _rooms_of(self, kind: str, ordinal: int) -> list[str]:
        if kind == DASHBOARD:
            return [f"{self._run}-board-{ordinal // BOARD_MEMBERS}"]
        each = min(ROOMS_EACH, len(self._rooms))
        return [self._rooms[(ordinal + offset) % len(self._rooms)] for offset in range(each)]

    # --- what happened ----------------------------------------------------------------------------------------------

    def report(self, environment: "Environment", kind: str, seconds: float | None, code: str | None) -> None:
        """A request took so long, or failed with `code`, which counts in no percentile. Locust is told, too."""
        if seconds is not None:
            self.timeline.took(kind, seconds, time.time())
        elif code is not None:
            self.timeline.failed(kind, code, time.time())
        environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type="chat",
            name=kind,
            response_time=None if seconds is None else seconds * 1000,
            response_length=0,
            exception=code,
            context={},
        )

    def count(self, what: str) -> None:
        """Something happened that takes no time; see `kinds.COUNTS`."""
        self.timeline.count(what, time.time())

    def crashed(self, error: BaseException) -> None:
        """The load test has a defect: what it counts is worth nothing."""
        text = "".join(traceback.format_exception(error)).strip()
        if text not in self.crashes and len(self.crashes) < _CRASHES_MOST:
            self.crashes.append(text)


class _Numbers:
    """Hands out the lowest number that is free."""

    def __init__(self) -> None:
        self._next = itertools.count()
        self._free: list[int] = []

    def take(self) -> int:
        return heapq.heappop(self._free) if self._free else next(self._next)

    def give_back(self, number: int) -> None:
        heapq.heappush(self._free, number)
