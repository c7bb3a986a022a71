"""What `python -m loadtests.connections` can be told, with bounds."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests.arguments import add_deployment, check_deployment, whole_number
from loadtests.connections.conductor import Plan

SHAPES: Final = ("hold", "step")
_CONNECTIONS_MOST: Final = 200_000
_SECONDS_MOST: Final = 4 * 3600
_RATE_MOST: Final = 1_000_000
_ROOM_MOST: Final = 10_000
_CONNECT_RATE_MOST: Final = 10_000
_PROCESSES_MOST: Final = 64
_GATEWAYS_MOST: Final = 32
_STEPS_MOST: Final = 100
_STEP_SECONDS_MOST: Final = 600
_FOR_ONE_MESSAGE: Final = 50
"""Unless told otherwise, one message a second for so many connections."""


class Options(msgspec.Struct, frozen=True):
    """All of it."""

    connections: int
    room_size: int
    plan: Plan
    gateways: int
    processes: int
    urls: list[str]
    """Of a running deployment; empty: a stack of our own."""
    tokens: Path | None
    metrics: list[str]
    slo: Path | None
    sources: list[str]
    out: Path | None


def parse(arguments: Sequence[str], description: str | None) -> Options:
    """Ends the process with a message and exit code 2 when `arguments` are not good."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.connections", description=description, allow_abbrev=False
    )
    _add_load(parser)
    _add_target(parser)
    chosen = parser.parse_args(arguments)
    check_deployment(parser, chosen)
    if chosen.skipped_seconds >= chosen.step_seconds:
        parser.error("--skipped-seconds leaves nothing of a step: it is to be less than --step-seconds")
    if chosen.processes > chosen.connections:
        parser.error("--processes: there are not as many connections")
    plan = Plan(
        shape=chosen.shape,
        rate=chosen.rate or max(1, chosen.connections // _FOR_ONE_MESSAGE),
        seconds=chosen.seconds,
        connect_rate=chosen.connect_rate,
        steps=chosen.steps,
        step_seconds=chosen.step_seconds,
        skipped_seconds=chosen.skipped_seconds,
    )
    return Options(
        connections=chosen.connections,
        room_size=min(chosen.room_size, chosen.connections),
        plan=plan,
        gateways=chosen.gateways,
        processes=chosen.processes,
        urls=chosen.url,
        tokens=chosen.tokens,
        metrics=chosen.metrics,
        slo=chosen.slo,
        sources=chosen.source,
        out=chosen.out,
    )


def _add_load(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the load").add_argument
    many = whole_number(1, _CONNECTIONS_MOST)
    add("--connections", type=many, default=10_000, help="how many, each of another user; 10000")
    add(
        "--shape", choices=SHAPES, default="hold", help="hold them, or raise the rate of messages by a quarter a step"
    )
    add("--seconds", type=whole_number(1, _SECONDS_MOST), default=600, help="how long to hold them; 600")
    add(
        "--rate",
        type=whole_number(1, _RATE_MOST),
        help="messages a second, in all; of the first step. One for every 50 connections unless given",
    )
    add("--room-size", type=whole_number(1, _ROOM_MOST), default=10, help="members of a room; 10")
    add(
        "--connect-rate",
        type=whole_number(1, _CONNECT_RATE_MOST),
        default=150,
        help="new connections a second; 150, which two cores cope with",
    )
    add("--steps", type=whole_number(1, _STEPS_MOST), default=40, help="the most of them; 40")
    seconds = whole_number(1, _STEP_SECONDS_MOST)
    add("--step-seconds", type=seconds, default=15, help="how long a step takes; 15")
    add(
        "--skipped-seconds",
        type=whole_number(0, _STEP_SECONDS_MOST),
        default=3,
        help="how much of a step's beginning is not measured; 3",
    )
    add("--processes", type=whole_number(1, _PROCESSES_MOST), default=1, help="that hold them; 1")
    add("--source", action="append", default=[], metavar="ADDRESS", help="connect from it; again for each")


def _add_target(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the system").add_argument
    add(
        "--gateways",
        type=whole_number(1, _GATEWAYS_MOST),
        default=4,
        help="of a stack of its own, behind HAProxy, when no --url is given; 4",
    )
    add_deployment(add)
    add("--slo", type=Path, help="objectives, in YAML; loadtests/slo.yaml unless given")
