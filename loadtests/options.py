"""What `python -m loadtests` can be told, with bounds."""

import argparse
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests import mix, slo
from loadtests.arguments import add_deployment, check_deployment, name, place, told, whole_number
from loadtests.shapes import SHAPES

_USERS_MOST: Final = 50_000
_SECONDS_MOST: Final = 4 * 3600
_ROOMS_MOST: Final = 20_000
_SPAWN_RATE_MOST: Final = 1000
_THINK_MOST: Final = 600
_PROCESSES_MOST: Final = 64
_STEPS_MOST: Final = 50
_GATEWAYS_MOST: Final = 16

_DISTURBED: Final = slo.DEFAULT.with_name("slo-disturbed.yaml")
_DISTURBING: Final = ("rolling", "storm")

HOOK_SECONDS: Final = 900.0
"""The longest that a hook may take."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    users: int
    seconds: int
    """How long to measure, in all."""
    shape: str
    steps: int
    mix: dict[str, int]
    rooms: int
    spawn_rate: int
    think: int
    """How many seconds a user of the kind `chat` thinks before each message, on average."""
    urls: list[str]
    """Of a running deployment; empty: a stack of our own."""
    tokens: Path | None
    metrics: list[str]
    slo: Path
    processes: int
    gateways: int
    hook: str
    out: Path | None
    run: str
    expect_workers: int
    bind: tuple[str, int] | None
    """Where workers of other hosts report; None: all users are played here."""
    worker_of: tuple[str, int] | None

    @property
    def own_stack(self) -> bool:
        """Whether the system is started, and ended, by the run."""
        return not self.urls

    @property
    def players(self) -> int:
        """How many processes play users, on all hosts."""
        return self.expect_workers or self.processes


def parse(arguments: Sequence[str], description: str | None) -> Options:
    """Ends the process with a message and exit code 2 when `arguments` are not good."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=description)
    _add_load(parser)
    _add_target(parser)
    _add_scale(parser)
    chosen = parser.parse_args(arguments)
    _check(parser, chosen)
    return Options(
        users=chosen.users,
        seconds=chosen.seconds,
        shape=chosen.shape,
        steps=min(chosen.steps, chosen.users),
        mix=chosen.mix,
        rooms=chosen.rooms or max(1, min(_ROOMS_MOST, chosen.users // 4)),
        spawn_rate=chosen.spawn_rate,
        think=chosen.think or (30 if chosen.shape == "soak" else 10),
        urls=chosen.url,
        tokens=chosen.tokens,
        metrics=chosen.metrics,
        slo=chosen.slo or (_DISTURBED if chosen.shape in _DISTURBING else slo.DEFAULT),
        processes=chosen.processes,
        gateways=chosen.gateways,
        hook=chosen.hook,
        out=chosen.out,
        run=chosen.run,
        expect_workers=chosen.expect_workers,
        bind=chosen.bind,
        worker_of=chosen.worker_of,
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the load").add_argument
    add("--users", type=whole_number(1, _USERS_MOST), default=500, help="how many; 500")
    add("--seconds", type=whole_number(1, _SECONDS_MOST), default=60, help="how long to measure, in all; 60")
    add("--shape", choices=SHAPES, default="hold", help="how the load goes up and down; hold")
    add(
        "--steps",
        type=whole_number(1, _STEPS_MOST),
        default=10,
        help="of shape step: how many to come to all users; 10",
    )
    usual = mix.text(mix.USUAL)
    add("--mix", type=told(mix.parse), default=dict(mix.USUAL), help=f"who they are, by weight; {usual}")
    add("--rooms", type=whole_number(1, _ROOMS_MOST), help="one for every four users unless given")
    add("--spawn-rate", type=whole_number(1, _SPAWN_RATE_MOST), default=20, help="users arriving a second; 20")
    add(
        "--think",
        type=whole_number(1, _THINK_MOST),
        help="seconds of thought before a message, on average; 10, of a soak 30",
    )
    add(
        "--run",
        type=told(name),
        default=secrets.token_hex(4),
        help="the name of the run, and of its rooms; a random one",
    )


def _add_target(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the system").add_argument
    add(
        "--gateways",
        type=whole_number(1, _GATEWAYS_MOST),
        default=2,
        help="of a stack of its own, when no --url is given; 2",
    )
    add_deployment(add)
    add("--slo", type=Path, help="objectives, in YAML; loadtests/slo.yaml, of rolling and storm slo-disturbed.yaml")
    add("--hook", default="", metavar="COMMAND", help="of shape rolling: restarts the gateways of a deployment")


def _add_scale(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("more processes, more hosts").add_argument
    add(
        "--processes",
        type=whole_number(1, _PROCESSES_MOST),
        default=1,
        help="how many play the users on this host; 1",
    )
    add("--bind", type=told(place), metavar="HOST:PORT", help="lead: workers of other hosts report here")
    add("--expect-workers", type=whole_number(0, _PROCESSES_MOST), default=0, help="how many processes that will be")
    add(
        "--worker-of",
        type=told(place),
        metavar="HOST:PORT",
        help="follow: play a share of the users of who leads there",
    )


def _check(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    if chosen.worker_of is not None:
        if chosen.bind is not None or chosen.tokens is None:
            parser.error("--worker-of needs --tokens, the same as the one who leads has, and no --bind")
        return
    check_deployment(parser, chosen)
    if (chosen.bind is not None) != bool(chosen.expect_workers):
        parser.error("--bind and --expect-workers go together: where workers of other hosts report, and how many")
    if chosen.bind is not None and (not chosen.url or chosen.processes > 1):
        parser.error(
            "who leads workers of other hosts plays no users itself, and needs --url: a deployment that all reach"
        )
    if chosen.hook and chosen.shape != "rolling":
        parser.error("--hook is of --shape rolling")
    if chosen.shape == "rolling" and chosen.url and not chosen.hook:
        parser.error("--shape rolling on a running deployment needs --hook, which restarts its gateways")
