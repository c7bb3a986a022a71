"""Spike: a quarter of the users, then all of them at once, then the quarter again."""

from typing import Final

from loadtests.shapes.hold import arrive
from loadtests.shapes.stage import Stage

_BASE: Final = 4


def play(stage: Stage) -> None:
    """Each takes a third of the time. The arriving at once is the spike, and is measured."""
    base = max(1, stage.users // _BASE)
    arrive(stage, base)
    with stage.phase("before"):
        stage.wait(stage.seconds / 3)
    with stage.phase("spike"):
        stage.fill(stage.users, at_once=True)
        stage.wait(stage.seconds / 3)
    with stage.phase("leaving", measured=False):
        stage.fill(base, at_once=True)
    with stage.phase("after"):
        stage.wait(stage.seconds / 3)
