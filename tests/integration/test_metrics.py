"""What operators see: each thing that happens moves the number that counts it."""

import json

import aiohttp

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


async def test_the_number_of_series_does_not_depend_on_what_clients_send(stack: TestStack) -> None:
    """No label holds a room, a user, or an event name of a client's invention."""

    async def text() -> str:
        async with aiohttp.ClientSession() as http, http.get(f"{stack.admin_url('gateway-1')}/metrics") as response:
            return await response.text()

    async def series() -> int:
        return len([line for line in (await text()).splitlines() if not line.startswith("#")])

    async def has_told() -> bool:
        return 'parley_gateway_deliveries_total{event="presence"}' in await text()

    async with PythonClient(stack.gateway_urls[0], await stack.token()) as client:

        async def use(number: int) -> None:
            await client.join(f"series-{number}")
            await client.say(f"series-{number}", "m")
            await client.call(f"invented-{number}", {})

        await use(0)
        await until(has_told, "it to be told who is there, which takes a moment")
        before = await series()
        for number in range(1, 30):
            await use(number)
        assert await series() == before


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
