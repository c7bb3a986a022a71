"""The end of a run: wait until what was sent has arrived, read the history back, and gather the facts."""

import time
from typing import Final

import gevent
from locust.clients import HttpSession
from locust.env import Environment
from locust.stats import StatsEntry

from checker.account import Place
from loadtests.record import Figures, Record
from loadtests.scenario import Scenario

SETTLE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_PAGE: Final = 200
_PAGE_ATTEMPTS: Final = 5
_HTTP_SECONDS: Final = 15.0
_PAGE_NAME: Final = "history page, HTTP"


def finish(scenario: Scenario, environment: Environment) -> Record:
    """Let nothing new be sent, wait at most `SETTLE_SECONDS` for the rest, and return the record of the run."""
    scenario.is_closing = True
    deadline = time.monotonic() + SETTLE_SECONDS
    while not scenario.ledger.is_settled and time.monotonic() < deadline:
        gevent.sleep(_POLL_SECONDS)
    settled = scenario.ledger.is_settled
    account = scenario.ledger.account
    account.history = {room: _history(scenario, environment, room) for room in scenario.ledger.rooms}
    exceptions = environment.runner.exceptions.values() if environment.runner is not None else []
    return Record(
        account=account,
        figures=_figures(scenario, environment),
        gateways=dict(scenario.gateways),
        settled=settled,
        crashes=[f"{each['msg']}: {each['traceback']}" for each in exceptions],
    )


def _history(scenario: Scenario, environment: Environment, room: str) -> list[Place]:
    """The whole room, as far as it can be read: what is missing is the judge's business."""
    session = HttpSession(scenario.urls[0], environment.events.request, None)
    session.headers["Authorization"] = f"Bearer {scenario.tokens[0]}"
    places: list[Place] = []
    failures = 0
    while failures < _PAGE_ATTEMPTS:
        after = places[-1].seq if places else 0
        path = f"/api/rooms/{room}/messages?after={after}&limit={_PAGE}"
        with session.get(path, name=_PAGE_NAME, timeout=_HTTP_SECONDS, catch_response=True) as response:
            if response.status_code != 200:
                failures += 1
                code = f"HTTP {response.status_code}"
                scenario.failures[_PAGE_NAME][code] += 1
                response.failure(code)
                continue
            page = response.json()
        places += [Place(each["seq"], each["prev"], each["id"]) for each in page["messages"]]
        if not page["more"] or not page["messages"]:
            break
    return places


def _figures(scenario: Scenario, environment: Environment) -> list[Figures]:
    entries = sorted(environment.stats.entries.values(), key=lambda entry: entry.name)
    return [_figures_of(entry, dict(scenario.failures[entry.name])) for entry in entries]


def _figures_of(entry: StatsEntry, failures: dict[str, int]) -> Figures:
    timed = entry.response_times
    p50, p95, p99 = (entry.get_response_time_percentile(part) if timed else None for part in (0.5, 0.95, 0.99))
    return Figures(entry.name, entry.num_requests, failures, p50, p95, p99)
