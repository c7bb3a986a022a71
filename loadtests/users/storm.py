"""A user who comes, and is gone."""

import random
from typing import Final

from locust import task

from loadtests.users.base import ParleyUser

STAYS_SECONDS: Final = (2.0, 10.0)


class StormUser(ParleyUser):
    """Connects, joins, and after seconds vanishes without a word; then somebody else comes to the same seat.

    What it received while it was there counts; who comes back does not resume, and missed nothing.
    """

    NAME = "storm"

    def wait_time(self) -> float:
        """How long it is there."""
        return random.uniform(*STAYS_SECONDS)  # noqa: S311

    def on_start(self) -> None:
        """Connect, join, and be there for some seconds."""
        super().on_start()
        self.wait()  # type: ignore[no-untyped-call]

    @task
    def vanish(self) -> None:
        """At the end of a run it stays, and hears the rest."""
        if self.may_act:
            self.line.vanish()
