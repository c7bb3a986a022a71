"""Which users there are, and how many of each: `chat=60,lurker=25` is 60 parts of these to 25 of those."""

from collections.abc import Mapping
from typing import Final

USUAL: Final[Mapping[str, int]] = {"chat": 60, "lurker": 25, "storm": 5, "dashboard": 5, "browser": 5}
_MOST: Final = 1000


def parse(text: str) -> dict[str, int]:
    """Raises `ValueError` with one line for people. Who is not named does not come."""
    weights: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in USUAL:
            raise ValueError(f"there are no users {name!r}; there are {', '.join(USUAL)}")
        if not (number.isascii() and number.isdigit() and int(number) <= _MOST):
            raise ValueError(f"{name}={number}: not a number from 0 to {_MOST}")
        weights[name] = int(number)
    if not sum(weights.values()):
        raise ValueError("nobody is in it")
    return {name: weight for name, weight in weights.items() if weight}


def text(weights: Mapping[str, int]) -> str:
    """As it is written on a command line."""
    return ",".join(f"{name}={weight}" for name, weight in weights.items())
