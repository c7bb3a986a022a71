"""A user's line to the system: connected and in all rooms, and made again by itself when it is lost.

As official clients do it: 0.5 to 1.5 s after the loss, then after twice as long each time, up to 5 s; and at another
gateway when one does not let it in, or has said that it is about to end. What was missed is asked for by joining with
`after`.

All timings are by one monotonic clock of this host: end to end is from a sender's call to each receiver's handler.
"""

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import gevent
from gevent.event import Event

from loadtests.client import ChatClient, Report
from loadtests.failures import Failure
from loadtests.kinds import DISCONNECTED, DROPS, RECONNECT
from loadtests.scenario import Scenario, Seat
from loadtests.users.visit import Visit

PAUSE_SECONDS: Final = (0.5, 1.5)
PAUSE_MOST_SECONDS: Final = 5.0
_DOUBLINGS_MOST: Final = 10


class Line:
    """Begins when told to `open`; lasts until it is told to `close`.

    `on`: handlers of the server's events beside `message`; none may wait. `upgrades`: see `ChatClient`.
    """

    def __init__(
        self,
        scenario: Scenario,
        seat: Seat,
        report: Report,
        *,
        on: Mapping[str, Callable[[Any], None]] | None = None,
        upgrades: bool = False,
    ) -> None:
        self._scenario = scenario
        self._seat = seat
        self._report = report
        self._on = {"draining": self._on_draining, **(on or {})}
        self._turn = 0
        """Which of the seat's gateways it goes to."""
        self._upgrades = upgrades
        self._client: ChatClient | None = None
        self._visit = Visit(scenario, seat, report, {})
        self.lost_at: float | None = None
        """By the monotonic clock, when a user who was in all rooms lost the connection, and is not back."""
        self.has_come = False
        """Whether the user was in all rooms, once."""
        self._is_in = Event()
        self._is_lost = Event()
        self._keeper: gevent.Greenlet | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None and self._client.is_open

    @property
    def is_in(self) -> bool:
        """Whether the user is in all rooms."""
        return bool(self._is_in.is_set())

    def open(self) -> None:
        """Begin; see `wait`."""
        self._scenario.lines.add(self)
        self._keeper = gevent.spawn(self._keep)

    def wait(self, seconds: float) -> bool:
        """Until the user is in all rooms, for so long at most; whether it is so."""
        return bool(self._is_in.wait(timeout=seconds))

    def close(self) -> None:
        """Hang up, for good."""
        self._scenario.lines.discard(self)
        if self._keeper is not None:
            self._keeper.kill()
        if self._client is not None:
            self._client.close()

    def hang_up(self) -> None:
        """End the connection well; it comes back by itself, and what was missed meanwhile is asked for."""
        if self._client is not None:
            self._client.close()

    def drop(self) -> None:
        """End the connection without a word; it comes back by itself. Does not wait."""
        if self._client is not None:
            self._client.vanish()

    def vanish(self) -> None:
        """As `drop`; and who comes back is somebody else, who missed nothing."""
        self.drop()
        self._visit = Visit(self._scenario, self._seat, self._report, {})
        self.lost_at = None

    def ask(self, event: str, payload: dict[str, Any], kind: str, began: float | None = None) -> dict[str, Any]:
        """See `ChatClient`; raises `Failure`."""
        if self._client is None or not self._client.is_open:
            self._report(kind, None, DISCONNECTED)
            raise Failure(DISCONNECTED)
        return self._client.ask(event, payload, kind, began)

    def time(self, event: dict[str, Any], kind: str) -> None:
        """What came just now, end to end."""
        self._visit.time(event, kind, time.monotonic())

    def tell(self, event: str, payload: dict[str, Any], kind: str) -> bool:
        """See `ChatClient`."""
        return self._client is not None and self._client.is_open and self._client.tell(event, payload, kind)

    # --- connection and rooms ---------------------------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            failures = 0
            while True:  # until the user is stopped
                if self._enter():
                    self._is_lost.wait()
                    failures = 0
                else:
                    failures += 1
                    self._turn += 1
                gevent.sleep(_pause(failures))
        except Exception as error:  # noqa: BLE001 - of the load test, whatever it is: nobody else would see it
            self._scenario.crashed(error)

    def _enter(self) -> bool:
        self._is_lost.clear()
        visit = self._visit = Visit(self._scenario, self._seat, self._report, self._visit.positions)
        handlers = {**self._on, "message": visit.on_message}
        urls = self._seat.urls
        try:
            client = self._client = ChatClient(
                urls[self._turn % len(urls)],
                self._seat.token,
                report=self._report,
                on={event: self._guarded(handler) for event, handler in handlers.items()},
                on_end=partial(self._ended, visit),
                upgrades=self._upgrades,
            )
            self._scenario.gateways[client.session["gateway"]] += 1
            visit.join_all(client)
        except Failure:
            self.drop()  # what was refused a room has no use for a connection; the failure was reported
            return False
        if self.lost_at is not None:
            self._report(RECONNECT, time.monotonic() - self.lost_at, None)
            self.lost_at = None
        self.has_come = True
        self._is_in.set()
        return True

    def _ended(self, visit: Visit) -> None:
        visit.cut_off()
        if self._client is not None and not self._client.is_told:
            self._scenario.count(DROPS)
        if self._is_in.is_set():
            self.lost_at = time.monotonic()
        self._is_in.clear()
        self._is_lost.set()

    def _on_draining(self, _: object) -> None:
        self._turn += 1

    def _guarded(self, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        """What a handler raises would be printed by a thread of python-engineio, and forgotten."""

        def guarded(payload: Any) -> None:
            try:
                handler(payload)
            except Exception as error:  # noqa: BLE001 - see above
                self._scenario.crashed(error)

        return guarded


def _pause(failures: int) -> float:
    least, most = PAUSE_SECONDS
    return min(random.uniform(least, most) * float(2 ** min(failures, _DOUBLINGS_MOST)), PAUSE_MOST_SECONDS)  # noqa: S311
