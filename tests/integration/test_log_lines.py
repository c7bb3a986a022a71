"""What is logged of connections and requests: one line for a life, one for a failure, and none for a message."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.life import Life
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until
from wire import headers, streams, subjects

SERVICES = {"gateway-1", "gateway-2", "auth", "history"}
ALWAYS = {"service", "instance", "event", "level", "timestamp"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def logging() -> AsyncIterator[TestStack]:
    """A stack of whose every line these tests know why it is there."""
    async with fresh() as started:
        yield started


def lines(stack: TestStack) -> list[dict[str, Any]]:
    """What the services have logged so far."""
    parts = (line.partition(" | ") for line in stack.output)
    return [json.loads(text) for name, _, text in parts if name in SERVICES]


def of(stack: TestStack, event: str, **fields: object) -> list[dict[str, Any]]:
    """The lines of `event` that say `fields`."""
    return [each for each in lines(stack) if each["event"] == event and fields.items() <= each.items()]


async def test_a_failed_request_is_found_in_all_services(logging: TestStack) -> None:
    """By its trace id: an HTTP request, with the caller's own trace or without, and a connection."""
    mine = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    url = logging.gateway_urls[0]
    async with aiohttp.ClientSession(url) as http:
        for more in ({}, {"traceparent": mine}):
            async with http.get("/api/rooms", headers={"Authorization": "Bearer x", **more}) as response:
                assert response.status == 401
        async with http.ws_connect("/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive()
            await socket.send_str('40{"token":"nonsense"}')
            assert "unauthorized" in (await socket.receive()).data
    await until(lambda: len(of(logging, "request refused", subject="auth.verify")) == 3, "auth to say so")
    asked = [each["trace_id"] for each in of(logging, "request refused", subject="auth.verify")]
    failed = of(logging, "request failed", route="/api/rooms", status=401, code="unauthorized")
    refused = of(logging, "connection refused", code="unauthorized")
    assert [each["trace_id"] for each in (*failed, *refused)] == asked
    assert len(set(asked)) == 3
    assert asked[1] == mine[3:35]
    for each in (*failed, *refused):
        assert ALWAYS | {"span_id"} <= each.keys()


async def test_a_failed_request_is_called_by_its_method(logging: TestStack) -> None:
    """Every one that HTTP itself has; others are not told apart, for strangers choose them."""
    route, methods = "/api/rooms/{room}", ("GET", "PATCH", "DELETE")
    async with aiohttp.ClientSession(logging.gateway_urls[0]) as http:
        for method in (*methods, "PROPFIND"):
            async with http.request(method, "/api/rooms/g-none", json={"name": "n"}) as response:
                assert response.status in {401, 405}
    await until(lambda: len(of(logging, "request failed", method="_OTHER")) == 1, "all lines")
    assert [each["method"] for each in of(logging, "request failed", route=route, status=401)] == [*methods]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (Life.close, "transport close"),
        (Life.disconnect, "client disconnect"),
        (Life.end, "client disconnect"),
        (Life.babble, "transport error"),
        (Life.sign_out, "revoked"),
        (Life.wait, "expired"),
    ],
)
async def test_a_life_is_one_line(logging: TestStack, how: Callable[[Life], Awaitable[None]], reason: str) -> None:
    """However it ends: whose it was, for how long, why it is over; of what was said, how much."""
    async with aiohttp.ClientSession(logging.gateway_urls[0]) as http:
        if reason == "expired":
            (token,) = await logging.mint(1, seconds=6)
        else:
            async with http.post("/api/guest", json={"display_name": "Ann"}) as response:
                token = (await response.json())["access_token"]
        life = Life(http, token)
        await life.begin()
        assert of(logging, "connection ended", connection=life.id) == []
        await how(life)

        def has_ended() -> bool:
            return bool(of(logging, "connection ended", connection=life.id))

        await until(has_ended, "its line")
        await life.close()
        # What is logged of the next is logged after all that is logged of this one.
        after = Life(http, await logging.token())
        await after.begin()
        await after.close()
    await until(lambda: bool(of(logging, "connection ended", connection=after.id)), "the line of the next")
    about = [each for each in lines(logging) if life.id in json.dumps(each)]
    assert len(about) == 1
    (line,) = about
    assert (line["reason"], line["level"], line["transport"]) == (reason, "info", "websocket")
    assert (line["rooms"], line["events"], line["refused"]) == (1, 1, 0)
    assert line["packets"] >= 1
    assert line["seconds"] >= 0
    assert line["user"]
    assert len(line["trace_id"]) == 32
    assert not {"display_name", "token"} & line.keys()


async def test_lives_within_one_session_do_not_fill_the_log(logging: TestStack) -> None:
    """Coming back after a farewell needs no handshake: the first is a line, and of the others there are sixty."""
    lives = 150
    async with aiohttp.ClientSession(logging.gateway_urls[0]) as http:
        life = Life(http, await logging.token())
        await life.begin()
        ids = [life.id]
        for _ in range(lives - 1):
            await life.disconnect()
            ids.append(await life.connect())
        await life.close()
        after = Life(http, await logging.token())
        await after.begin()
        await after.close()
    await until(lambda: bool(of(logging, "connection ended", connection=after.id)), "the line of the next")
    ended = [each for each in of(logging, "connection ended") if each["connection"] in ids]
    assert len({each["connection"] for each in ended}) == len(ended)
    assert ended[0]["connection"] == ids[0]
    assert 61 <= len(ended) < lives


async def test_a_drain_ends_every_life_once(logging: TestStack) -> None:
    """Those of the gateway that ends."""
    async with aiohttp.ClientSession(logging.gateway_urls[1]) as http:
        lives = [Life(http, await logging.token()) for _ in range(5)]
        for each in lives:
            await each.begin()
        await logging.children["gateway-2"].stop()
        ended = [each["connection"] for each in of(logging, "connection ended", instance="gateway-2")]
        assert sorted(ended) == sorted(each.id for each in lives)
        assert {each["reason"] for each in of(logging, "connection ended", instance="gateway-2")} == {
            "server disconnect"
        }
    await logging.start_anew("gateway-2")


async def test_messages_are_not_logged(logging: TestStack) -> None:
    """However many there are, and however many of them are refused: their number is in the line of the life."""
    room = unique("quiet")
    async with PythonClient(logging.gateway_urls[0], await logging.token()) as client:
        await client.join(room)
        await client.say(room, "before")
        before = len(lines(logging))
        for number in range(200):
            assert (await client.say(room, f"m{number}"))["ok"]
            assert (await client.call("typing", {"room": room, "active": True}))["ok"]
            assert not (await client.say("elsewhere", f"m{number}"))["ok"]
            assert not (await client.call("join", {"room": "no id"}))["ok"]
        said = lines(logging)[before:]
        assert said == []
    await until(lambda: bool(of(logging, "connection ended", events=802)), "the line of its life")
    assert [each["refused"] for each in of(logging, "connection ended", events=802)] == [400]
    async with logging.nats() as nats:
        stored = await nats.jetstream().get_last_msg(streams.MESSAGES, subjects.stored_message(room))
    assert headers.MESSAGE_ID in (stored.headers or {})
    assert headers.TRACEPARENT not in (stored.headers or {}), "nobody records"
