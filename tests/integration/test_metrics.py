"""What operators see: each thing that happens moves the number that counts it."""

import json
import shutil
import subprocess

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from runtime.version import VERSION
from tests.support import series
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


async def test_a_message_moves_the_numbers(stack: TestStack) -> None:
    """Connections, events, deliveries, publish and delivery latency, persisted messages, lag."""
    room = unique("metrics")
    counted = [
        ("gateway-1", "parley_gateway_connects_total", {"result": "ok"}, 1),
        ("gateway-1", "parley_gateway_connections", {}, 1),
        ("gateway-1", "parley_gateway_events_total", {"event": "message", "result": "ok"}, 3),
        ("gateway-1", "parley_gateway_events_total", {"event": "message", "result": "not_joined"}, 1),
        ("gateway-1", "parley_gateway_events_total", {"event": "unknown", "result": "invalid"}, 1),
        ("gateway-1", "parley_gateway_deliveries_total", {"event": "message"}, 2),
        ("gateway-2", "parley_gateway_deliveries_total", {"event": "message"}, 2),
        ("gateway-1", "parley_gateway_publish_duration_seconds_count", {"result": "ok"}, 2),
        ("gateway-1", "parley_gateway_publish_duration_seconds_count", {"result": "duplicate"}, 1),
        ("gateway-2", "parley_gateway_delivery_latency_seconds_count", {}, 2),
        ("auth", "parley_auth_requests_total", {"kind": "verify", "result": "ok"}, 2),
        ("history", "parley_history_persisted_messages_total", {}, 2),
    ]

    async def values() -> list[float]:
        return [await stack.metric(service, name, **labels) for service, name, labels, _ in counted]

    before = await values()
    first, second = stack.gateway_urls
    async with PythonClient(first, await stack.token()) as one, PythonClient(second, await stack.token()) as two:
        await one.join(room)
        await two.join(room)
        await one.say(room, "m1")
        await one.say(room, "m2")
        await one.say(room, "m2")
        await one.say("elsewhere", "m3")
        await one.call("nonsense", {})
        expected = [value + each[3] for value, each in zip(before, counted, strict=True)]

        async def moved() -> bool:
            return await values() == expected

        await until(moved, "every number to have moved as it should")

    async def caught_up() -> bool:
        return await stack.metric("history", "parley_history_lag_messages") == 0

    await until(caught_up, "the lag to be none")
    for service in ("auth", "history", "gateway-1", "gateway-2"):
        assert await stack.metric(service, "parley_nats_connected") == 1


async def _scrape(stack: TestStack, name: str, **headers: str) -> tuple[str, str]:
    """The content type and the text."""
    async with aiohttp.ClientSession() as http, http.get(f"{stack.admin_url(name)}/metrics", headers=headers) as got:
        return got.headers["Content-Type"], await got.text()


async def test_no_series_is_made_of_what_clients_send(stack: TestStack) -> None:
    """Rooms, ids and events of a client's invention: there are the series that there can be, and fewer than 500."""
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as client:
        for number in range(30):
            await client.join(f"series-{number}")
            await client.say(f"series-{number}", f"m-{number}")
            await client.call(f"invented-{number}", {})
            await client.call("join", {"room": f"no room {number}"})
            await client.call("read", {"room": f"elsewhere-{number}", "seq": number + 1})
    async with aiohttp.ClientSession(stack.gateway_urls[0]) as http:
        for number in range(10):
            async with http.post(f"/api/rooms/series-{number}/messages", json={"id": "m", "body": "x"}) as response:
                assert response.status == 401
    for name in ("gateway-1", "gateway-2", "auth", "history"):
        found = await series.scraped(stack.admin_url(name))
        assert found <= series.possible(name.partition("-")[0])
        assert len(found) < 500


@pytest.mark.parametrize("name", ["gateway-1", "auth", "history"])
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is NOT INSTALLED: Debian's package prometheus")
async def test_promtool_finds_nothing_wrong(stack: TestStack, name: str) -> None:
    """Names, units, types and help texts are as Prometheus wants them."""
    _, text = await _scrape(stack, name)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["gateway-1", "auth", "history"])
async def test_it_speaks_openmetrics_to_whoever_asks(stack: TestStack, name: str) -> None:
    """The same series in both formats, none of them a time of creation; each says what it is."""
    accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
    kind, text = await _scrape(stack, name, Accept=accept)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = list(open_metrics(text))  # type: ignore[no-untyped-call]
    plain, older = await _scrape(stack, name)
    assert plain == "text/plain; version=0.0.4; charset=utf-8"
    assert series.of(families) == series.of(text_metrics(older))
    assert not [each for each, _ in series.of(families) if each.endswith("_created")]
    assert all(family.documentation for family in families)


async def test_every_process_says_what_it_is_and_what_it_needs(stack: TestStack) -> None:
    """Its version and revision, files and memory, and how late its loop is."""
    for name in ("gateway-1", "auth", "history"):
        _, text = await _scrape(stack, name)
        assert f'service="{name.partition("-")[0]}",version="{VERSION}"' in text
        assert await stack.metric(name, "parley_build_info", revision="unknown") == 1
        assert await stack.metric(name, "process_open_fds") < await stack.metric(name, "process_max_fds")
        assert await stack.metric(name, "process_resident_memory_bytes") > 10_000_000
        looked = await stack.metric(name, "parley_event_loop_lag_seconds_count")

        async def looks_on(name: str = name, looked: float = looked) -> bool:
            return await stack.metric(name, "parley_event_loop_lag_seconds_count") > looked

        await until(looks_on, "the loop to be looked at")


async def test_the_admin_port_is_not_the_public_one(stack: TestStack) -> None:
    """Clients reach neither health nor metrics."""
    async with aiohttp.ClientSession(stack.gateway_urls[0]) as http:
        for path in ("/metrics", "/readyz", "/livez"):
            async with http.get(path) as response:
                assert response.status == 404


async def test_logs_are_json_lines_without_secrets_or_bodies(stack: TestStack) -> None:
    """Every line of a service parses; no token, password or body of any test is in it."""
    password, body = "a very secret password", "a very private body"
    async with aiohttp.ClientSession(stack.gateway_urls[0]) as http:
        account = {"username": unique("logged"), "password": password}
        async with http.post("/api/register", json=account) as response:
            token = (await response.json())["access_token"]
        async with http.post("/api/login", json={**account, "password": password + "!"}) as response:
            assert response.status == 401
    room = unique("logs")
    async with PythonClient(stack.gateway_urls[0], token) as client:
        await client.join(room)
        await client.say(room, "m1", body)
    printed = [line.partition(" | ")[2] for line in stack.output if not line.startswith(("nats", "mongo", "rotate"))]
    assert printed
    for line in printed:
        assert {"event", "level", "timestamp", "service", "instance"} <= json.loads(line).keys()
    everything = "\n".join(stack.output)
    for secret in (password, body, token):
        assert secret not in everything
