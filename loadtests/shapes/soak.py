"""Soak: a long hold, in four quarters, so that the last can be compared with the first."""

from typing import Final

from loadtests.shapes.hold import arrive
from loadtests.shapes.stage import Stage

_QUARTERS: Final = ("1st", "2nd", "3rd", "4th")


def play(stage: Stage) -> None:
    """What grows slowly (memory, latency) is seen between the quarters."""
    arrive(stage, stage.users)
    for each in _QUARTERS:
        with stage.phase(f"{each} quarter"):
            stage.wait(stage.seconds / len(_QUARTERS))
