"""The end of a run: the facts are judged, and what they came to is written down and shown."""

from pathlib import Path

import msgspec

from loadtests.facts import Facts, Process
from loadtests.report.results import Results
from loadtests.slo import Slo


class Run(msgspec.Struct):
    """What is known of a run beside the facts."""

    tool: str
    """`locust` or `connections`."""
    began: float
    """In seconds of the epoch."""
    settings: dict[str, str | int | float | bool | None]
    target: str
    """In words: "two gateways of a stack of its own", or addresses."""
    urls: list[str]
    """Of gateways: where the rooms' histories are read."""
    token: str
    """Of any user. It is written nowhere."""
    slo: Slo
    gateways: list[Process] = []
    """What the gateways used, second by second."""
    steps: bool = False
    """Whether it went up step by step, and the highest is to be found: among the measured phases."""


async def conclude(facts: Facts, run: Run, folder: Path) -> Results:
    """Not yet."""
    raise NotImplementedError
