"""Reconnect storm: every connection is cut off at once, and all come back by themselves."""

from loadtests.shapes.hold import arrive
from loadtests.shapes.stage import Stage


def play(stage: Stage) -> None:
    """Half of the time before it, half after. Coming back is measured, too: that is what a storm is about."""
    arrive(stage, stage.users)
    with stage.phase("before"):
        stage.wait(stage.seconds / 2)
    with stage.phase("storm"):
        stage.drop()
    with stage.phase("after"):
        stage.wait(stage.seconds / 2)
