"""Who plays the users, as the conductor knows them: what they report each second, and what they hand over."""

import math
import time
from collections.abc import Collection
from typing import Any

import msgspec

from loadtests.facts import Facts, Process, Usage
from loadtests.timeline import Timeline


class Player(msgspec.Struct):
    """One process that plays users, as last reported."""

    host: str
    connected: int = 0
    coming: int = 0
    """Users who have not come into their rooms yet."""
    away: int = 0
    """Users who had lost a connection when `mark` was heard, and are not back in their rooms."""
    settled: bool = False
    usage: list[Usage] = []
    mark: int = 0
    """The last that they had heard by then."""
    last: float = 0.0
    """When the last came, by the monotonic clock."""
    parts: dict[int, bytes] = {}
    facts: Facts | None = None


class Roster:
    """All of them, by number; and the sum of what they tell."""

    def __init__(self) -> None:
        self.players: dict[int, Player] = {}
        self.mark = 0
        """Counts what was said to all: who names it has heard that, and all before."""
        self.timeline = Timeline()
        self.ends: dict[str, int] = {}
        """The newest seq that anybody knows of, by room."""

    def connected(self, numbers: Collection[int]) -> int:
        """How many connections these have."""
        return sum(each.connected for number, each in self.players.items() if number in numbers)

    def coming(self, numbers: Collection[int]) -> int:
        """How many users of these have not come into their rooms yet."""
        return sum(each.coming for number, each in self.players.items() if number in numbers)

    def away(self, numbers: Collection[int]) -> int:
        """How many users of these had lost a connection when `mark` was heard, and are not back in their rooms."""
        return sum(each.away for number, each in self.players.items() if number in numbers)

    @property
    def cpu_percent(self) -> float:
        """Of one core, in the process that is worst off."""
        return max((each.usage[-1].cpu_percent for each in self.players.values() if each.usage), default=0.0)

    @property
    def generators(self) -> list[Process]:
        """What each has used, as far as it is known."""
        return [Process(f"generator-{n + 1}", each.host, each.usage) for n, each in sorted(self.players.items())]

    def reported(self, data: dict[str, Any]) -> None:
        """A `parley-report` came."""
        player = self.players.setdefault(data["player"], Player(data["host"]))
        player.connected, player.settled = data["connected"], data["settled"]
        player.coming, player.away = data["coming"], data["away"]
        player.mark = data["mark"]
        player.last = time.monotonic()
        if data["usage"] is not None:
            player.usage.append(msgspec.msgpack.decode(data["usage"], type=Usage))
        self.timeline.add(msgspec.msgpack.decode(data["timeline"], type=Timeline))
        for room, seq in data["ends"].items():
            self.ends[room] = max(seq, self.ends.get(room, 0))

    def have_heard(self, numbers: Collection[int]) -> bool:
        """Whether each of these knows what was last said."""
        return all(number in self.players and self.players[number].mark >= self.mark for number in numbers)

    def are_settled(self, numbers: Collection[int]) -> bool:
        """Whether all that was sent has arrived, at each of these, as of what was last said."""
        return self.have_heard(numbers) and all(self.players[number].settled for number in numbers)

    def silent(self, seconds: float) -> list[int]:
        """Who has not reported for so long."""
        now = time.monotonic()
        return [number for number, each in self.players.items() if now - each.last > seconds]

    def handed_over(self, data: dict[str, Any]) -> None:
        """A `parley-facts` came: a part of somebody's facts. Raises `msgspec.MsgspecError` when they are none."""
        player = self.players.setdefault(data["player"], Player(""))
        player.parts[data["n"]] = data["data"]
        if len(player.parts) == data["parts"] and player.facts is None:
            whole = b"".join(player.parts[number] for number in sorted(player.parts))
            player.parts.clear()
            player.facts = msgspec.msgpack.decode(whole, type=Facts)

    def missing(self, numbers: Collection[int]) -> list[int]:
        """Who of these has not handed over all."""
        return [number for number in numbers if number not in self.players or self.players[number].facts is None]

    def recent(self, now: float, seconds: float) -> Timeline:
        """The last seconds of the epoch before `now`, as far as they are reported."""
        return Timeline(dict(self.timeline.between(now - seconds, math.inf)))
