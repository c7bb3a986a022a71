"""One connection's time in its rooms: joins, and what is received, as the ledger keeps it."""

import time
from typing import Any, Final

from checker.account import Place, Stay
from loadtests.client import ChatClient, Report
from loadtests.failures import Failure
from loadtests.kinds import DELIVERIES, DELIVERY, DISCONNECTED, JOIN, RESUME, TIMEOUT, TRUNCATED, UNTIMED
from loadtests.scenario import Scenario, Seat


class Visit:
    """Made for a connection, before it is. `before`: where to resume, by room, for whoever was there before."""

    def __init__(self, scenario: Scenario, seat: Seat, report: Report, before: dict[str, int]) -> None:
        self._scenario: Final = scenario
        self._seat: Final = seat
        self._report: Final = report
        self._before: Final = before
        self._stays: Final[dict[str, Stay]] = {}

    @property
    def positions(self) -> dict[str, int]:
        """Where to resume after it, by room."""
        position = self._scenario.ledger.position
        reached = {room: position(stay) for room, stay in self._stays.items() if stay.member}
        return {**self._before, **{room: seq for room, seq in reached.items() if seq is not None}}

    def join_all(self, client: ChatClient) -> None:
        """One room after the other; raises `Failure`. What was missed has come when a join is acknowledged."""
        for room in self._seat.rooms:
            self._join(client, room)

    def cut_off(self) -> None:
        """The connection is gone."""
        for stay in self._stays.values():
            self._scenario.ledger.cut_off(stay)

    def _join(self, client: ChatClient, room: str) -> None:
        after = self._before.get(room)
        stay = self._stays[room] = self._scenario.ledger.arrives(self._seat.name, room, after)
        try:
            if after is None:
                reply = client.ask("join", {"room": room}, JOIN)
            else:
                reply = client.ask("join", {"room": room, "after": after}, RESUME)
        except Failure as failure:
            if failure.code == TIMEOUT:
                client.vanish()  # in the room or not: only a new connection is sure
            raise
        if not client.is_open:
            raise Failure(DISCONNECTED)
        self._scenario.ledger.joined(stay, reply["seq"], truncated=reply["truncated"])
        if reply["truncated"]:
            self._scenario.count(TRUNCATED)

    def on_message(self, message: dict[str, Any]) -> None:
        """Somebody in a room, or the user, said something. Does not wait."""
        now, room, ledger = time.monotonic(), message["room"], self._scenario.ledger
        if room not in self._stays:  # never asked for: the judge will say so
            self._stays[room] = ledger.intrudes(self._seat.name, room)
        stay = self._stays[room]
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
                elif kind == DELIVERY:
                    self._scenario.count(UNTIMED)
