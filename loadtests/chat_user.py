"""A user who chats, as Locust plays it.

All timings are by one monotonic clock, in one process: end to end is from a sender's call to each receiver's handler.
"""

import random
import time
from typing import Any, ClassVar, Final

import gevent
from locust import User, between, task
from locust.env import Environment

from checker.account import Place, Stay
from loadtests.client import DISCONNECTED, TIMEOUT, ChatClient, Failure
from loadtests.scenario import Scenario

OUTCOME_UNKNOWN: Final = {"unavailable", TIMEOUT, DISCONNECTED}
ATTEMPTS: Final = 3
RETRY_SECONDS: Final = 0.5


class ChatUser(User):
    """Joins a few rooms, talks, types, and reads back now and then. A lost connection is made again, and resumed."""

    wait_time = between(0.5, 1.5)
    scenario: ClassVar[Scenario]

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._seat = self.scenario.seat()
        self._stays: dict[str, Stay] = {}
        self._client: ChatClient | None = None

    def on_start(self) -> None:
        """Connect and join."""
        self._is_ready()

    def on_stop(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()

    @task(8)
    def say(self) -> None:
        """Send one message; with the same id again while its outcome is unknown."""
        if not self._is_ready() or self.scenario.is_closing:
            return None
        room, id, ledger = random.choice(self._seat.rooms), self._seat.next_id(), self.scenario.ledger  # noqa: S311
        payload = {"room": room, "id": id, "body": f"message {id}", "data": {"sent": time.monotonic()}}
        ledger.sending(id)
        for attempt in range(ATTEMPTS):
            try:
                reply = self._ask("message", payload)
            except Failure as failure:
                if failure.code not in OUTCOME_UNKNOWN:
                    # A first refusal is certain; a later one tells nothing about the attempts before it.
                    return ledger.gave_up() if attempt else ledger.refused(id)
                gevent.sleep(RETRY_SECONDS)
                self._is_ready()
            else:
                return ledger.sent(room, reply["seq"], id, self._seat.name)
        return ledger.gave_up()

    @task(2)
    def type(self) -> None:
        """Begin to type, and cease."""
        room = random.choice(self._seat.rooms)  # noqa: S311
        self._try("typing", {"room": room, "active": True})
        self._try("typing", {"room": room, "active": False})

    @task(1)
    def read_back(self) -> None:
        """Read a room's newest page."""
        self._try("history", {"room": random.choice(self._seat.rooms)})  # noqa: S311

    # --- connection and rooms ---------------------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        try:
            if self._client is None or not self._client.is_open:
                self._connect()
            for room in self._seat.rooms:
                if room not in self._stays or not self._stays[room].lasted:
                    self._join(room)
        except Failure:
            return False  # it was reported; the next task tries again
        return True

    def _connect(self) -> None:
        self._cut_off()
        on = {"session": self._on_session, "message": self._on_message}
        self._client = ChatClient(self._seat.url, self._seat.token, report=self._report, on=on, on_end=self._cut_off)

    def _join(self, room: str) -> None:
        before = self._stays.get(room)
        after = before.position if before is not None else None
        stay = self._stays[room] = self.scenario.ledger.arrives(self._seat.name, room, after)
        try:
            reply = self._ask("join", {"room": room} if after is None else {"room": room, "after": after})
        except Failure as failure:
            if failure.code == TIMEOUT and self._client is not None:
                self._client.close()  # in the room or not: only a new connection is sure
            raise
        if self._client is not None and self._client.is_open:
            self.scenario.ledger.joined(stay, reply["seq"], truncated=reply["truncated"])

    def _ask(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self._client is None or not self._client.is_open:
            self._report(event, None, DISCONNECTED)
            raise Failure(DISCONNECTED)
        return self._client.ask(event, payload)

    def _try(self, event: str, payload: dict[str, Any]) -> None:
        if self._is_ready() and not self.scenario.is_closing:
            try:
                self._ask(event, payload)
            except Failure:
                return  # it was reported

    # --- what the server says; none of it waits ---------------------------------------------------------------------

    def _on_session(self, session: dict[str, Any]) -> None:
        self.scenario.gateways[session["gateway"]] += 1

    def _on_message(self, message: dict[str, Any]) -> None:
        now, room = time.monotonic(), message["room"]
        if room not in self._stays:  # never asked for: the judge will say so
            self._stays[room] = self.scenario.ledger.intrudes(self._seat.name, room)
        self.scenario.ledger.received(self._stays[room], Place(message["seq"], message["prev"], message["id"]))
        match message:
            case {"data": {"sent": float(sent)}}:
                self._report("message, end to end", now - sent, None)

    def _cut_off(self) -> None:
        for stay in self._stays.values():
            self.scenario.ledger.cut_off(stay)

    def _report(self, what: str, seconds: float | None, code: str | None) -> None:
        self.scenario.report(self.environment, what, seconds, code)
