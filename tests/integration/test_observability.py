"""A real Prometheus sees a stack under a small load: every target, every rule, and data for every panel."""

import os
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.support import prometheus
from tests.support.grafana import labels_in, queries
from tests.support.observed import trouble
from tests.support.observed.world import World, world
from tests.support.pictures.page import take
from tests.support.waiting import until

pytestmark = [
    pytest.mark.timeout(300),  # it waits for a ping, and has a Prometheus beside the stack
    pytest.mark.skipif(prometheus.PROGRAM is None, reason="no prometheus: apt install prometheus"),
    # The Python clients leave their old sockets to the collector when they connect again.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]

PICTURES: Final = os.environ.get("PICTURES", "")
"""A folder where pictures of the dashboards are to be kept."""
ROUNDS_MOST: Final = 20
HAPPENED: Final = (
    "sum(parley_gateway_gaps_healed_total)",
    "sum(parley_gateway_slow_readers_closed_total)",
    'sum(parley_gateway_recoveries_total{outcome="recovered"})',
    'sum(parley_gateway_resumes_total{verdict="complete"})',
    'sum(parley_gateway_publish_duration_seconds_count{result="duplicate"})',
    'sum(parley_gateway_limited_total{limit="typing"})',
    "sum(parley_gateway_removals_total)",
    'sum(parley_gateway_sessions_ended_total{reason="revoked"})',
    'sum(parley_auth_revocation_duration_seconds_count{result="ok"})',
    "sum(parley_gateway_malformed_packets_total)",
    'sum(parley_gateway_connects_total{result="unauthorized"})',
    'sum(parley_gateway_notified_total{result="ok"})',
    "sum(parley_gateway_ping_round_trip_seconds_count)",
    "sum(parley_nats_reconnects_total)",
    "sum(parley_auth_attempts_refused_total)",
    'sum(parley_auth_jwks_fetches_total{result="ok"})',
    "max(parley_auth_keys) - 1",
    "sum(parley_history_persisted_messages_total)",
)
"""What the load is to have caused: panels of these show more than zeros."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="seen")
async def _seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("observed")) as made:
        await made.users.round()
        await trouble.rotate_keys(made.users)
        await trouble.lose_messages(made.users)
        await trouble.read_slowly(made.users)
        await trouble.break_connections(made.users)
        await made.users.round()
        await trouble.restart_history(made.users)
        await trouble.restart_nats(made.users)
        # On a fast machine all of this takes less than the pause before the first ping.
        await until(lambda: _was_pinged(made), "an answered ping", seconds=60)
        yield made


async def _was_pinged(made: World) -> bool:
    return await made.users.stack.metric("gateway-1", "parley_gateway_ping_round_trip_seconds_count") > 0


async def test_every_panel_shows_something(seen: World) -> None:
    """Each query of each dashboard returns numbers, as Grafana would ask it; and what was caused is in them."""
    empty = list(queries())
    quiet = list(HAPPENED)
    for _ in range(ROUNDS_MOST):
        await seen.users.round()
        empty = [each for each in empty if not await seen.prometheus.has_shown(each)]
        quiet = [each for each in quiet if await seen.prometheus.highest(each) <= 0]
        if not empty and not quiet:
            break
    if PICTURES:
        await take(seen.prometheus, PICTURES)
    assert [str(each) for each in empty] == []
    assert quiet == []


async def test_every_series_has_a_name(seen: World) -> None:
    """Legends name labels that the series have."""
    for query in queries():
        for each in await seen.prometheus.series(query):
            assert labels_in(query.legend) <= each["metric"].keys(), query


async def test_every_target_is_seen(seen: World) -> None:
    """Two gateways, auth, history, and NATS by its exporter; none is refused, none is missing."""
    targets = (await seen.prometheus.told("targets"))["activeTargets"]
    found = sorted((each["labels"]["job"], each["labels"]["instance"], each["health"]) for each in targets)
    assert found == [
        ("parley-auth", "auth", "up"),
        ("parley-gateway", "gateway-1", "up"),
        ("parley-gateway", "gateway-2", "up"),
        ("parley-history", "history", "up"),
        ("parley-nats", "nats", "up"),
    ]
    assert {each["lastError"] for each in targets} == {""}


async def test_every_rule_is_well(seen: World) -> None:
    """All that are shipped are loaded and evaluated without an error; no alert says that nobody is served."""
    groups = (await seen.prometheus.told("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules
    assert {rule["health"] for rule in rules} == {"ok"}, [rule for rule in rules if rule["health"] != "ok"]
