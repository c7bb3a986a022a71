"""What a shape's script can do."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Stage(Protocol):
    """All of these wait, and leave the script by an exception of their own when the run has to end."""

    @property
    def users(self) -> int:
        """How many are to come, at most."""

    @property
    def seconds(self) -> float:
        """How long to measure, in all."""

    @property
    def steps(self) -> int:
        """In how many steps to come to all users."""

    def phase(self, name: str, *, measured: bool = True) -> AbstractContextManager[None]:
        """What happens inside is one phase of the run."""

    def fill(self, users: int, *, at_once: bool = False) -> None:
        """So many users from now on; returns when they are connected, or have had time enough.

        `at_once`: as fast as can be, and not at the usual rate.
        """

    def wait(self, seconds: float) -> None:
        """Let it go on."""

    def drop(self) -> None:
        """Cut off every connection; notes when all are back, and returns then, or when they have had time enough."""

    def hook(self) -> None:
        """Run the hook; returns when it has ended and all are back, or have had time enough."""

    def limit(self) -> str | None:
        """What was too much in the last phase, in words: an objective, or the generator; None when nothing was."""

    def note(self, text: str) -> None:
        """Something that a reader of the charts has to know of."""


Script = Callable[[Stage], None]
