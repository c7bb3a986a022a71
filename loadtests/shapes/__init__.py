"""How the load goes up and down: one script for each shape, played on a `Stage`. No I/O, no Locust.

A script names its phases; those that are measured are what the SLOs are held against. What comes after each of them
is the same: nothing new is sent, all that was sent arrives, and everybody hands over their facts (`conductor`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from loadtests.shapes import hold, rolling, soak, spike, step, storm
from loadtests.shapes.stage import Script

SHAPES: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "hold": hold.play,
        "spike": spike.play,
        "soak": soak.play,
        "storm": storm.play,
        "rolling": rolling.play,
        "step": step.play,
    }
)
