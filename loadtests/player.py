"""What a process that plays users tells the run's conductor, by Locust's own messages: each second, and at the end.

In a run without workers these messages go to and from the same process, so there is one path.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import gevent
import msgspec
from locust.env import Environment
from locust.rpc import Message
from locust.runners import LocalRunner, WorkerRunner

from loadtests.clocks import ClockWatch
from loadtests.facts import Facts
from loadtests.generator import Meter
from loadtests.kinds import CONNECTED, NOT_BACK, RECONNECT, USERS
from loadtests.scenario import Scenario

REPORT: Final = "parley-report"
FACTS: Final = "parley-facts"
CLOSING: Final = "parley-closing"
DROP: Final = "parley-drop"
ENDS: Final = "parley-ends"
FINISH: Final = "parley-finish"
MARK: Final = "parley-mark"
"""Comes after another: a report that names it was made by one who has heard both."""

PART_BYTES: Final = 1024 * 1024
_BEAT_SECONDS: Final = 0.05
"""The lag is how much later than it was to a greenlet ran that sleeps for so long: the worst of a second."""


class Player:
    """Made with a runner that plays users, a worker's or a local one; goes on until it is told to `close`.

    One made later, for another run of the same process, takes its place.
    """

    def __init__(self, environment: Environment, scenario: Scenario, *, part_bytes: int = PART_BYTES) -> None:
        runner = environment.runner
        assert isinstance(runner, LocalRunner | WorkerRunner), "a master plays nobody"
        self._environment = environment
        self._runner = runner
        self._scenario = scenario
        self._part_bytes = part_bytes
        self._index = max(0, runner.worker_index)
        self._meter = Meter(f"generator-{self._index + 1}")
        self._clocks = ClockWatch()
        self._invalid: list[str] = []
        self._lag = 0.0
        self._mark, self._marked_at = 0, time.monotonic()
        self._told_ends: dict[str, int] = {}
        self._second = int(time.time())
        self._hear(CLOSING, self._on_closing)
        self._hear(DROP, self._on_drop)
        self._hear(ENDS, self._on_ends)
        self._hear(FINISH, self._on_finish)
        self._hear(MARK, self._on_mark)
        environment.events.user_error.add_listener(self._on_error)  # type: ignore[no-untyped-call]
        self._beating = gevent.spawn(self._beat)

    def close(self) -> None:
        """Report no more."""
        self._beating.kill()
        self._environment.events.user_error.remove_listener(self._on_error)  # type: ignore[no-untyped-call]

    # --- what the conductor says; none of it waits ------------------------------------------------------------------

    def _hear(self, what: str, listener: Callable[..., None]) -> None:
        self._runner.custom_messages.pop(what, None)  # an earlier player's
        self._runner.register_message(what, listener)

    def _on_closing(self, **_: object) -> None:
        self._scenario.is_closing = True

    def _on_mark(self, *, msg: Message, **_: object) -> None:
        self._mark, self._marked_at = msg.data["mark"], time.monotonic()

    def _on_drop(self, **_: object) -> None:
        for line in tuple(self._scenario.lines):
            line.drop()

    def _on_ends(self, *, msg: Message, **_: object) -> None:
        self._scenario.ledger.told(msg.data)

    def _on_finish(self, **_: object) -> None:
        gevent.spawn(self._finish)

    def _on_error(self, exception: BaseException, tb: TracebackType | None = None, **_: object) -> None:
        self._scenario.crashed(exception if tb is None else exception.with_traceback(tb))

    # --- what it says -----------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        due = report_due = time.monotonic()
        while True:  # until `close`
            due += _BEAT_SECONDS
            gevent.sleep(max(0.0, due - time.monotonic()))
            late = time.monotonic() - due
            self._lag = max(self._lag, late)
            if late > _BEAT_SECONDS:
                due = time.monotonic()  # what stood still does not catch up
            try:
                self._note_levels()
                if time.monotonic() - report_due >= 1:
                    report_due = max(report_due + 1, time.monotonic() - 1)
                    self._runner.send_message(REPORT, self._report())
            except Exception as error:  # noqa: BLE001 - of the load test, or of the way to the master: the next may go
                self._scenario.crashed(error)

    def _note_levels(self) -> None:
        """In every second, also in those in which nothing ran: the sum over processes must have no gaps."""
        now = int(time.time())
        for second in range(max(self._second + 1, now - 60), now + 1):
            self._scenario.timeline.level(CONNECTED, self._scenario.connected, second)
            self._scenario.timeline.level(USERS, len(self._scenario.lines), second)
        self._second = max(self._second, now)

    def _report(self) -> dict[str, Any]:
        now, lag, self._lag = time.time(), self._lag, 0.0
        if trouble := self._clocks.look():
            self._invalid.append(trouble)
        ends = self._scenario.ledger.ends
        changed = {room: seq for room, seq in ends.items() if self._told_ends.get(room) != seq}
        self._told_ends.update(changed)
        return {
            "player": self._index,
            "mark": self._mark,
            "timeline": msgspec.msgpack.encode(self._scenario.timeline.taken(now - 1)),
            "ends": changed,
            "settled": self._scenario.is_settled,
            "connected": self._scenario.connected,
            "coming": self._scenario.coming,
            "away": self._scenario.away(self._marked_at),
            "usage": msgspec.msgpack.encode(self._meter.usage(lag)),
            "host": self._scenario.host,
        }

    def _finish(self) -> None:
        data = msgspec.msgpack.encode(self._facts())
        size = self._part_bytes
        parts = [data[begin : begin + size] for begin in range(0, len(data), size)]
        for number, part in enumerate(parts):
            self._runner.send_message(FACTS, {"player": self._index, "n": number, "parts": len(parts), "data": part})
            gevent.sleep(0)  # whoever else has something to do

    def _facts(self) -> Facts:
        for _ in range(self._scenario.away()):
            self._scenario.timeline.failed(RECONNECT, NOT_BACK, time.time())
        return Facts(
            account=self._scenario.ledger.account,
            timeline=self._scenario.timeline.taken(time.time() + 2),  # what began in this second, too
            generators=[self._meter.process],
            gateways=dict(self._scenario.gateways),
            settled=self._scenario.is_settled,
            crashes=self._scenario.crashes,
            invalid=self._invalid,
        )
