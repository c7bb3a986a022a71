"""Who sits where: which user has which token, gateway and rooms; and what all users share."""

import itertools
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from locust.env import Environment

from checker.ledger import Ledger

ROOMS_EACH: Final = 3


class Seat:
    """One user's place. Its message ids are unique in all runs."""

    def __init__(self, name: str, url: str, token: str, rooms: Sequence[str], ids: Iterator[str]) -> None:
        self.name = name
        self.url = url
        self.token = token
        self.rooms = rooms
        self._ids = ids

    def next_id(self) -> str:
        """A message id that nobody used."""
        return next(self._ids)


class Scenario:
    """One run. Its rooms are its own, so that nobody else's messages are in them."""

    def __init__(self, urls: Sequence[str], tokens: Sequence[str], rooms: int) -> None:
        self.ledger = Ledger()
        self.urls = urls
        self.tokens = tokens
        self.is_closing = False
        """Once true, nothing new is sent."""
        self.gateways: Counter[str] = Counter()
        """How many connections each gateway greeted."""
        self.failures: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """How often each kind of request failed, by code."""
        self._run = f"load-{secrets.token_hex(4)}"
        self._rooms = [f"{self._run}-{number}" for number in range(rooms)]
        self._numbers = itertools.count()

    def seat(self) -> Seat:
        """The next one. Neighbours share rooms and not gateways, so that rooms span all gateways."""
        number = next(self._numbers)
        name = f"user-{number + 1}"
        rooms = [self._rooms[(number + each) % len(self._rooms)] for each in range(min(ROOMS_EACH, len(self._rooms)))]
        ids = (f"{self._run}-{number + 1}-{count}" for count in itertools.count(1))
        return Seat(name, self.urls[number % len(self.urls)], self.tokens[number % len(self.tokens)], rooms, ids)

    def report(self, environment: Environment, what: str, seconds: float | None, code: str | None) -> None:
        """Tell Locust of a request: how long it took, or the code of its failure, which counts in no percentile."""
        if code is not None:
            self.failures[what][code] += 1
        environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type="chat",
            name=what,
            response_time=None if seconds is None else seconds * 1000,
            response_length=0,
            exception=code,
            context={},
        )
