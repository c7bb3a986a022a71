"""What all users share: a seat, and a line to the system."""

import random
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from locust import User
from locust.env import Environment

from loadtests.failures import Failure
from loadtests.scenario import Scenario
from loadtests.users.line import Line

ARRIVE_SECONDS: Final = 30.0
"""How long a user who arrives waits to be in, before it goes about its tasks, or skips them."""
_IDLE_SECONDS: Final = 5.0


class ParleyUser(User):
    """Somebody with a seat, in rooms. Its line begins when Locust starts the user, and ends when Locust stops it.

    `NAME`: of the kind, as in `--mix`.
    """

    abstract = True
    NAME: ClassVar[str]
    UPGRADES: ClassVar[bool] = False
    """Whether it begins with polling, as browsers do."""
    scenario: ClassVar[Scenario]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.seat = self.scenario.seat(self.NAME)
        self.line = Line(self.scenario, self.seat, self.report, on=self.handlers(), upgrades=self.UPGRADES)

    def on_start(self) -> None:
        """Connect, and join."""
        self.line.open()
        self.line.wait(ARRIVE_SECONDS)

    def on_stop(self) -> None:
        """Hang up, and leave the seat to others."""
        self.line.close()
        self.scenario.leave(self.seat)

    def handlers(self) -> dict[str, Callable[[Any], None]]:
        """Of the server's events beside `message`."""
        return {}

    @property
    def may_act(self) -> bool:
        """Whether it is in its rooms, and something new may be sent."""
        return self.line.is_in and not self.scenario.is_closing

    def report(self, kind: str, seconds: float | None, code: str | None) -> None:
        """See `Scenario`."""
        self.scenario.report(self.environment, kind, seconds, code)

    def try_to(self, event: str, payload: dict[str, Any], kind: str) -> bool:
        """Ask for something whose failure, which is reported, has no consequence; whether it went well."""
        try:
            self.line.ask(event, payload, kind)
        except Failure:
            return False
        return True

    def some_room(self) -> str:
        """One of its own."""
        return random.choice(self.seat.rooms)  # noqa: S311

    def data(self) -> dict[str, Any]:
        """What tells a receiver when something was sent, and by whose clock."""
        return {"sent": time.monotonic(), "host": self.scenario.host}

    def idle_seconds(self) -> float:
        """A `wait_time` of users who do nothing."""
        return _IDLE_SECONDS
