"""A user who chats: sends, receives, types, reads back, and now and then loses the line on purpose."""

import random
import time
from typing import Any, Final

import gevent
from locust import task

from loadtests.failures import Failure
from loadtests.kinds import DISCONNECTED, MESSAGE, PAGE, TIMEOUT, TYPING
from loadtests.users.base import ParleyUser

OUTCOME_UNKNOWN: Final = {"unavailable", "internal", TIMEOUT, DISCONNECTED}
ATTEMPTS_MOST: Final = 10
ATTEMPTING_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 0.5
_TYPING_SECONDS: Final = (0.3, 1.0)
TYPES, READS_BACK, HANGS_UP = 0.5, 0.1, 0.02
"""In how many of its turns it does so."""


class ChatUser(ParleyUser):
    """One turn is one message, to one of its rooms; between two turns it thinks, for `Scenario.think` on average."""

    NAME = "chat"

    def wait_time(self) -> float:
        """Seconds until the next turn."""
        return self.scenario.think * random.uniform(0.5, 1.5)  # noqa: S311

    def on_start(self) -> None:
        """Connect and join; then think for a part of the usual time, so that users who came at once do not act so."""
        super().on_start()
        gevent.sleep(self.scenario.think * random.random())  # noqa: S311

    @task
    def turn(self) -> None:
        """Type, perhaps; say something; read back or reconnect, now and then."""
        if not self.may_act:
            return
        room = self.some_room()
        is_typing = _chance(TYPES) and self.try_to("typing", {"room": room, "active": True}, TYPING)
        if is_typing:
            gevent.sleep(random.uniform(*_TYPING_SECONDS))  # noqa: S311
        if self.may_act:
            self.say(room)
        if is_typing and self.may_act:
            self.try_to("typing", {"room": room, "active": False}, TYPING)
        if self.may_act and _chance(READS_BACK):
            self.try_to("history", {"room": room}, PAGE)
        if self.may_act and _chance(HANGS_UP):
            self.line.hang_up()

    def say(self, room: str) -> None:
        """Send one message; with the same id again while its outcome is unknown."""
        id, ledger = self.seat.next_id(), self.scenario.ledger
        ledger.sending(id)
        outcome: int | None = None
        is_refused = False
        try:
            outcome = self._send({"room": room, "id": id, "body": f"message {id}", "data": self.data()})
        except Failure:
            is_refused = True
        finally:  # also of a user who is stopped meanwhile
            if outcome is not None:
                ledger.sent(room, outcome, id, self.seat.name)
            elif is_refused:
                ledger.refused(id)
            else:
                ledger.gave_up()

    def _send(self, payload: dict[str, Any]) -> int | None:
        """Its seq; None: nobody knows whether it was stored. Raises `Failure` when it was not, for certain.

        Timed from the first attempt, as a reader of the message times it, too.
        """
        began = time.monotonic()
        for attempt in range(ATTEMPTS_MOST):
            try:
                return int(self.line.ask("message", payload, MESSAGE, began)["seq"])
            except Failure as failure:
                if failure.code not in OUTCOME_UNKNOWN:
                    # A first refusal is certain; a later one tells nothing about the attempts before it.
                    if attempt:
                        return None
                    raise
            left = began + ATTEMPTING_SECONDS - time.monotonic()
            if left <= RETRY_SECONDS:
                break
            gevent.sleep(RETRY_SECONDS)
            self.line.wait(left)
        return None


def _chance(part: float) -> bool:
    return random.random() < part  # noqa: S311
