"""A dashboard that shows what the others in its room show."""

import random
from collections.abc import Callable
from typing import Any, Final

import gevent
from locust import constant_pacing, task

from loadtests.kinds import EVENT, EVENTS_SENT
from loadtests.scenario import DASHBOARD
from loadtests.users.base import ParleyUser

EVENTS_PER_SECOND: Final = 10


class DashboardUser(ParleyUser):
    """Sends an `event` ten times a second, whether the one before has arrived or not; hears those of the others.

    Events are never stored and no part of the promise: one that is late gives way to the next of its name and sender.
    """

    NAME = DASHBOARD
    wait_time = constant_pacing(1 / EVENTS_PER_SECOND)

    def on_start(self) -> None:
        """Connect and join; dashboards that came at once do not tick so."""
        super().on_start()
        gevent.sleep(random.random() / EVENTS_PER_SECOND)  # noqa: S311

    def handlers(self) -> dict[str, Callable[[Any], None]]:
        """What the others show."""
        return {"event": self._on_event}

    @task
    def tick(self) -> None:
        """Show something new."""
        payload = {"room": self.seat.rooms[0], "name": "tick", "data": self.data()}
        if self.may_act and self.line.tell("event", payload, EVENT):
            self.scenario.count(EVENTS_SENT)

    def _on_event(self, event: dict[str, Any]) -> None:
        self.line.time(event, EVENT)
