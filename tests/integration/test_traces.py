"""Traces of a real stack, at a real collector: one request is one trace, through all services that it passes."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.otlp import Collector, SpanSeen, collector
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until
from wire import headers, streams, subjects

THEIRS = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
VERIFIED = [("parley-auth", "auth.verify"), ("parley-gateway", "auth.verify")]
PAGED = [("parley-gateway", "history.page"), ("parley-history", "history.page")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def collected() -> AsyncIterator[Collector]:
    """Where the stack of these tests exports to."""
    async with collector() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traced(collected: Collector) -> AsyncIterator[TestStack]:
    """A stack that was told so by the standard variables, and by nothing else."""
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    async with fresh(environ=told) as started:
        yield started


async def one(collected: Collector, name: str, below: list[tuple[str, str]], *, trace: str = "") -> SpanSeen:
    """The newest span of that name, of that trace, once the spans of `below` stand below it: services and names."""
    found: list[SpanSeen] = []

    def has_come() -> bool:
        found[:] = [each for each in collected.of(name) if not trace or each.trace == trace][-1:]
        return bool(found) and set(below) <= set(collected.below(found[0]))

    await until(has_come, f"a trace of {name}")
    return found[0]


async def test_a_connect_is_one_trace(traced: TestStack, collected: Collector) -> None:
    """Gateway and auth; as a client that is let in, and as one that is not."""
    async with PythonClient(traced.gateway_urls[0], await traced.token()):
        connect = await one(collected, "connect", VERIFIED)
    assert (connect.service, connect.instance, connect.parent) == ("parley-gateway", "gateway-1", "")
    before = len(collected.of("connect"))
    async with aiohttp.ClientSession(traced.gateway_urls[0]) as http:
        url = "/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url) as socket:
            await socket.receive()
            await socket.send_str('40{"token":"nonsense"}')
            assert "unauthorized" in (await socket.receive()).data
    await until(lambda: len(collected.of("connect")) > before, "the refused one")
    refused = await one(collected, "connect", VERIFIED)
    assert refused.attributes["error.type"] == "unauthorized"


async def test_a_page_of_history_is_one_trace(traced: TestStack, collected: Collector) -> None:
    """Gateway and history, below the client's event."""
    room = unique("traced")
    async with PythonClient(traced.gateway_urls[0], await traced.token()) as client:
        await client.join(room)
        await client.say(room, "m1")
        assert (await client.call("history", {"room": room}))["ok"]
    page = await one(collected, "history", PAGED)
    assert collected.below(page) == PAGED
    assert page.attributes["parley.connection"]


async def test_a_message_links_what_was_published_to_what_was_persisted(
    traced: TestStack, collected: Collector
) -> None:
    """Over HTTP, all of it below the request; of a client, a trace of its own."""
    room, token = unique("traced"), await traced.token()
    name = "POST /api/rooms/{room}/messages"
    async with (
        aiohttp.ClientSession(traced.gateway_urls[0], headers={"Authorization": f"Bearer {token}"}) as http,
        http.post(f"/api/rooms/{room}/messages", json={"id": "m1", "body": "hello"}) as response,
    ):
        assert response.status == 201
    stored = sorted([*VERIFIED, ("parley-gateway", "publish message")])
    post = await one(collected, name, stored)
    assert collected.below(post) == stored
    assert post.attributes["http.response.status_code"] == 201
    async with PythonClient(traced.gateway_urls[1], token) as client:
        await client.join(room)
        await client.say(room, "m2")

    def said() -> list[SpanSeen]:
        return [each for each in collected.of("publish message") if each.instance == "gateway-2"]

    await until(lambda: len(said()) == 1, "the other's span")
    assert said()[0].parent == ""

    def are_linked() -> bool:
        linked = {each for span in collected.of("persist messages") for each in span.links}
        return {post.trace, said()[0].trace} <= linked

    await until(are_linked, "both to be persisted")
    async with traced.nats() as nats:
        message = await nats.jetstream().get_last_msg(streams.MESSAGES, subjects.stored_message(room))
    assert (message.headers or {})[headers.TRACEPARENT].startswith(f"00-{said()[0].trace}-{said()[0].id}-")
    assert {each.service for each in collected.of("persist messages")} == {"parley-history"}


async def test_a_trace_that_began_elsewhere_goes_on_here(traced: TestStack, collected: Collector) -> None:
    """By the header `traceparent`; whether it is recorded is decided here, whatever a stranger's flag says."""
    token = await traced.token()
    async with aiohttp.ClientSession(traced.gateway_urls[0], headers={"Authorization": f"Bearer {token}"}) as http:
        for flag in ("00", "01"):
            trace = THEIRS[:-2] + flag
            async with http.get("/api/rooms", headers={"traceparent": f"00-{trace}-{SPAN}-{flag}"}) as response:
                assert response.status == 200
            rooms = await one(collected, "GET /api/rooms", VERIFIED, trace=trace)
            assert rooms.parent == SPAN
        async with http.get("/api/rooms", headers={"traceparent": "nonsense"}) as response:
            assert response.status == 200


async def test_a_collector_that_is_away_disturbs_nobody(traced: TestStack, collected: Collector) -> None:
    """Spans are lost, and logged once in a while; nothing else happens. What it takes later, comes."""
    room = unique("traced")
    collected.is_refusing = True
    async with PythonClient(traced.gateway_urls[0], await traced.token()) as client:
        await client.join(room)
        for number in range(20):
            assert (await client.say(room, f"m{number}"))["ok"]
            assert (await client.call("history", {"room": room}))["ok"]

        def was_said() -> bool:
            return any('"opentelemetry.' in line for line in traced.output)

        await until(was_said, "it to be logged")
        collected.is_refusing = False
        before = len(collected.of("history"))

        async def come_again() -> bool:
            assert (await client.call("history", {"room": room}))["ok"]
            return len(collected.of("history")) > before

        await until(come_again, "spans to come again", seconds=60, every=0.2)
    said = [line for line in traced.output if '"opentelemetry.' in line]
    assert len(said) <= 4, "one for each process"
    assert not [line for line in said if "Traceback" in line]


async def test_a_process_that_ends_hands_over_its_last_spans(traced: TestStack, collected: Collector) -> None:
    """Those that wait for their batch; and if the collector is away it ends all the same, and well."""
    await traced.start_anew("gateway-2", OTEL_BSP_SCHEDULE_DELAY="600000", OTEL_SERVICE_NAME="mine")
    for is_refusing in (False, True):
        collected.is_refusing = is_refusing
        before = len(collected.of("GET /.well-known/jwks.json"))
        async with (
            aiohttp.ClientSession(traced.gateway_urls[1]) as http,
            http.get("/.well-known/jwks.json") as response,
        ):
            assert response.status == 200
        assert await traced.children["gateway-2"].stop() == 0
        spans = collected.of("GET /.well-known/jwks.json")[before:]
        assert [each.service for each in spans] == ([] if is_refusing else ["mine"])
        await traced.start_anew("gateway-2", OTEL_BSP_SCHEDULE_DELAY="600000", OTEL_SERVICE_NAME="mine")
