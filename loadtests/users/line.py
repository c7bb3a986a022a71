"""A user's line to the system: connected and in all rooms, and made again by itself when it is lost.

As official clients do it: 0.5 to 1.5 s after the loss, then after twice as long each time, up to 5 s; and at another
gateway when one does not answer. What was missed is asked for by joining with `after`.

All timings are by one monotonic clock of this host: end to end is from a sender's call to each receiver's handler.
"""

import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import gevent
from gevent.event import Event

from checker.account import Place, Stay
from loadtests.client import ChatClient, Report
from loadtests.failures import Failure
from loadtests.kinds import DELIVERIES, DELIVERY, DISCONNECTED, DROPS, JOIN, RECONNECT, RESUME, TIMEOUT, UNTIMED
from loadtests.scenario import Scenario, Seat

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
        self._on = on or {}
        self._upgrades = upgrades
        self._client: ChatClient | None = None
        self._stays: dict[str, Stay] = {}
        self._lost_at: float | None = None
        """When a user who was in all rooms lost the connection."""
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

    @property
    def is_behind(self) -> bool:
        """Whether the user was in all rooms, lost the connection, and is not back."""
        return self._lost_at is not None

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
        self._stays = {}
        self._lost_at = None

    def ask(self, event: str, payload: dict[str, Any], kind: str, began: float | None = None) -> dict[str, Any]:
        """See `ChatClient`; raises `Failure`."""
        if self._client is None or not self._client.is_open:
            self._report(kind, None, DISCONNECTED)
            raise Failure(DISCONNECTED)
        return self._client.ask(event, payload, kind, began)

    def tell(self, event: str, payload: dict[str, Any], kind: str) -> bool:
        """See `ChatClient`."""
        return self._client is not None and self._client.is_open and self._client.tell(event, payload, kind)

    # --- connection and rooms ---------------------------------------------------------------------------------------

    def _keep(self) -> None:
        try:
            failures = 0
            while True:  # until the user is stopped
                if self._enter(failures):
                    self._is_lost.wait()
                    failures = 0
                else:
                    failures += 1
                gevent.sleep(_pause(failures))
        except Exception as error:  # noqa: BLE001 - of the load test, whatever it is: nobody else would see it
            self._scenario.crashed(error)

    def _enter(self, failures: int) -> bool:
        self._is_lost.clear()
        stays: dict[str, Stay] = {}
        urls = self._seat.urls
        try:
            client = ChatClient(
                urls[failures % len(urls)],
                self._seat.token,
                report=self._report,
                on={each: self._guarded(handler) for each, handler in self._handlers(stays).items()},
                on_end=partial(self._ended, stays),
                upgrades=self._upgrades,
            )
            self._client = client
            self._scenario.gateways[client.session["gateway"]] += 1
            for room in self._seat.rooms:
                self._join(client, room, stays)
        except Failure:
            return False  # it was reported
        if self._lost_at is not None:
            self._report(RECONNECT, time.monotonic() - self._lost_at, None)
            self._lost_at = None
        self._is_in.set()
        return True

    def _join(self, client: ChatClient, room: str, stays: dict[str, Stay]) -> None:
        before = self._stays.get(room)
        after = before.position if before is not None else None
        stay = stays[room] = self._scenario.ledger.arrives(self._seat.name, room, after)
        self._stays[room] = stay
        try:
            if after is None:
                reply = client.ask("join", {"room": room}, JOIN)
            else:
                reply = client.ask("join", {"room": room, "after": after}, RESUME)
            if not client.is_open:
                raise Failure(DISCONNECTED)
        except Failure as failure:
            if failure.code == TIMEOUT or client.is_open:
                client.vanish()  # in the room or not: only a new connection is sure
            raise
        self._scenario.ledger.joined(stay, reply["seq"], truncated=reply["truncated"])

    def _ended(self, stays: dict[str, Stay]) -> None:
        for stay in stays.values():
            self._scenario.ledger.cut_off(stay)
        if self._client is not None and not self._client.is_told:
            self._scenario.count(DROPS)
        if self._is_in.is_set():
            self._lost_at = time.monotonic()
        self._is_in.clear()
        self._is_lost.set()

    # --- what the server says; none of it waits ---------------------------------------------------------------------

    def _handlers(self, stays: dict[str, Stay]) -> dict[str, Callable[[Any], None]]:
        return {**self._on, "message": partial(self._on_message, stays)}

    def _guarded(self, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        """What a handler raises would be printed by a thread of python-engineio, and forgotten."""

        def guarded(payload: Any) -> None:
            try:
                handler(payload)
            except Exception as error:  # noqa: BLE001 - see above
                self._scenario.crashed(error)

        return guarded

    def _on_message(self, stays: dict[str, Stay], message: dict[str, Any]) -> None:
        now, room, ledger = time.monotonic(), message["room"], self._scenario.ledger
        if room not in stays:  # never asked for: the judge will say so
            stays[room] = ledger.intrudes(self._seat.name, room)
        stay = stays[room]
        ledger.received(stay, Place(message["seq"], message["prev"], message["id"]))
        self._scenario.count(DELIVERIES)
        if stay.lasted:  # else it was missed, and comes while the room is joined again
            self.time(message, DELIVERY, now)

    def time(self, message: dict[str, Any], kind: str, now: float) -> None:
        """End to end, if the sender's clock is this host's."""
        match message:
            case {"data": {"sent": float(sent), "host": str(host)}}:
                if host == self._scenario.host:
                    self._report(kind, now - sent, None)
                else:
                    self._scenario.count(UNTIMED)


def _pause(failures: int) -> float:
    least, most = PAUSE_SECONDS
    return min(random.uniform(least, most) * 2 ** min(failures, _DOUBLINGS_MOST), PAUSE_MOST_SECONDS)  # noqa: S311
