"""Colours: from which value on a number has which. The first is for all below the second."""

from collections.abc import Sequence

Steps = Sequence[tuple[str, float]]

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"


def alarm(at: float, *, warn: float | None = None) -> Steps:
    """Green, then yellow from `warn` on, red from `at` on."""
    return ((GREEN, 0), *(((YELLOW, warn),) if warn is not None else ()), (RED, at))


def floor(well: float, *, warn: float | None = None) -> Steps:
    """Red below, yellow from `warn` on, green from `well` on."""
    return ((RED, 0), *(((YELLOW, warn),) if warn is not None else ()), (GREEN, well))
