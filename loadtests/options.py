"""What `python -m loadtests` can be told, with bounds."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests.arguments import whole_number

_USERS_MOST: Final = 1000
"""One process plays them all: above this, it measures itself."""
_SECONDS_MOST: Final = 3600
_ROOMS_MOST: Final = 1000
_SPAWN_RATE_MOST: Final = 100


class Options(msgspec.Struct, frozen=True):
    """All of it."""

    users: int
    seconds: int
    rooms: int
    spawn_rate: int
    urls: list[str]
    """Of a running deployment; empty: a stack of our own."""
    tokens: Path | None
    record: Path | None


def parse(arguments: Sequence[str], description: str | None) -> Options:
    """Ends the process with a message and exit code 2 when `arguments` are not good."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=description)
    parser.add_argument("--users", type=whole_number(1, _USERS_MOST), default=50, help="50 unless given")
    parser.add_argument("--seconds", type=whole_number(1, _SECONDS_MOST), default=60, help="how long they chat; 60")
    parser.add_argument("--rooms", type=whole_number(1, _ROOMS_MOST), help="one for every four users unless given")
    parser.add_argument(
        "--spawn-rate", type=whole_number(1, _SPAWN_RATE_MOST), default=20, help="users arriving a second; 20"
    )
    parser.add_argument(
        "--url", action="append", default=[], help="a gateway of a running deployment; again for each"
    )
    parser.add_argument("--tokens", type=Path, help="access tokens for that deployment: one a line, one a user")
    parser.add_argument("--record", type=Path, help="keep the facts here, for python -m loadtests.verdict")
    chosen = parser.parse_args(arguments)
    if bool(chosen.url) != (chosen.tokens is not None):
        parser.error("--url and --tokens go together: a running deployment, and users that it knows")
    return Options(
        users=chosen.users,
        seconds=chosen.seconds,
        rooms=chosen.rooms or max(1, chosen.users // 4),
        spawn_rate=chosen.spawn_rate,
        urls=chosen.url,
        tokens=chosen.tokens,
        record=chosen.record,
    )
