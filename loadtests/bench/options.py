"""What `python -m loadtests.bench` can be told, with bounds."""

import argparse
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests.arguments import whole_number

RESULTS: Final = Path(__file__).resolve().parents[1] / "results"
CONNECTIONS: Final = (1000, 2000, 4000, 8000)
_CONNECTIONS_MOST: Final = 10_000
"""Below what one process may open."""
_REPEATS_MOST: Final = 50
_SECONDS_MOST: Final = 60


_TIME: Final = (
    "All of it takes about two hours with the peers, half an hour without; one repeat is a third, one number of "
    "connections a quarter of that. A measurement that is not done within four minutes is given up, and told of."
)


class Options(msgspec.Struct, frozen=True):
    """All of it."""

    peers: bool
    cases: tuple[str, ...]
    connections: tuple[int, ...]
    repeats: int
    seconds: int
    out: Path
    targets: tuple[str, ...] = ()
    """Parts of names; empty: all."""

    def wants(self, target: str) -> bool:
        """Whether a target of that name is to be measured."""
        return not self.targets or any(each in target for each in self.targets)


def parse(arguments: Sequence[str], cases: Collection[str]) -> Options:
    """Ends the process with a message and exit code 2 when `arguments` are not good."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench",
        description="What Parley costs per unit of work, beside its peers.",
        epilog=_TIME,
    )
    parser.add_argument("--peers", action="store_true", help="set up and measure the peers, too")
    parser.add_argument("--cases", type=_names_of(cases), default=tuple(cases), help=f"of {','.join(cases)}; all")
    parser.add_argument("--connections", type=_numbers, default=CONNECTIONS, help="1000,2000,4000,8000 unless given")
    parser.add_argument("--repeats", type=whole_number(1, _REPEATS_MOST), default=3, help="of each measurement; 3")
    parser.add_argument(
        "--seconds", type=whole_number(1, _SECONDS_MOST), default=2, help="of each flow of messages; 2"
    )
    parser.add_argument("--targets", type=_texts, default=(), help="only those whose name has one of these in it")
    parser.add_argument("--out", type=Path, help="the JSON file; loadtests/results/bench-<time>.json unless given")
    chosen = parser.parse_args(arguments)
    out = chosen.out or RESULTS / time.strftime("bench-%Y%m%d-%H%M%S.json")
    return Options(
        peers=chosen.peers,
        cases=chosen.cases,
        connections=chosen.connections,
        repeats=chosen.repeats,
        seconds=chosen.seconds,
        out=out,
        targets=chosen.targets,
    )


def _texts(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split(",") if each)


def _names_of(known: Collection[str]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        for each in _texts(text):
            if each not in known:
                raise argparse.ArgumentTypeError(f"{each!r} is none of {', '.join(known)}")
        return _texts(text)

    return names


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(map(whole_number(1, _CONNECTIONS_MOST), text.split(","))))
