"""Who sits where, and on which connection."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.faults.suite.light_line import LightLine
from tests.faults.suite.line import Line
from tests.faults.suite.member import Member
from tests.faults.suite.official_lines import JsLine, PythonLine

ROOMS_EACH: Final = 2
MEMBERS_A_ROOM: Final = 6
_LISTENERS: Final = 3


def rooms(name: str, members: int, quiet: str) -> Iterator[list[str]]:
    """The rooms of each member: neighbours share some, and one in `_LISTENERS` is in `quiet`, too."""
    count = max(3, members * ROOMS_EACH // MEMBERS_A_ROOM)
    for number in range(members):
        own = [f"{name}-r{(number + each) % count}" for each in range(ROOMS_EACH)]
        yield own if number % _LISTENERS else [*own, quiet]


def lines(
    url: str, members: Sequence[Member], tokens: Sequence[str], officials: int, rng: random.Random
) -> Iterator[Line]:
    """A connection for each of `members`: `officials` of either official client, and light ones."""
    kinds: list[type[JsLine | PythonLine]] = [JsLine, PythonLine] * officials
    for number, (member, token) in enumerate(zip(members, tokens, strict=True)):
        kind = kinds[number] if number < len(kinds) else None
        recovers = number > 1 and kind is not PythonLine and number % 2 == 0
        auth: dict[str, Any] = {"token": token, **({"recover": True} if recovers else {})}
        yield kind(url, auth, member) if kind else LightLine(url, auth, member, random.Random(rng.random()))
