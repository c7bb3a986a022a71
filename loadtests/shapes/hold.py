"""Ramp and hold: all users come, and stay."""

from loadtests.shapes.stage import Stage


def play(stage: Stage) -> None:
    """The arriving is not measured."""
    arrive(stage, stage.users)
    with stage.phase("hold"):
        stage.wait(stage.seconds)


def arrive(stage: Stage, users: int) -> None:
    """How most shapes begin."""
    with stage.phase("ramp", measured=False):
        stage.fill(users)
