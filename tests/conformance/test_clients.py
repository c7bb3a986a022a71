"""The official clients against the edge: JavaScript's current and oldest of version 4, and Python's two."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.conformance.features import TICKS, Features
from tests.conformance.server import CUSTOM
from tests.support.clients.kinds import KINDS, client
from tests.support.clients.official import OfficialClient
from tests.support.clients.python import arguments
from tests.support.waiting import until

# The Python clients leave their old sockets to the collector when they connect again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

TRANSPORTS: dict[str, dict[str, Any]] = {
    "default": {},
    "websocket": {"transports": ["websocket"]},
    "polling": {"transports": ["polling"]},
}


@pytest.fixture(scope="module")
def features() -> Iterator[Features]:
    """One server for all tests here."""
    with Features() as serving:
        yield serving


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let no later test hear of what a client of this one has left."""
    yield
    gc.collect()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which client."""
    found: str = request.param
    return found


@pytest.fixture(params=TRANSPORTS)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Which transports."""
    return TRANSPORTS[request.param]


@asynccontextmanager
async def connected(features: Features, kind: str, **options: Any) -> AsyncIterator[tuple[OfficialClient, str]]:
    """A client that is connected to the default namespace, and its sid."""
    async with client(kind, features.url, **options) as one:
        before = len(features.joined)
        await one.is_connected()
        sids = [sid for namespace, sid in features.joined[max(before - 2, 0) :] if namespace == "/"]
        yield one, sids[-1]


async def has_left(features: Features, sid: str) -> str:
    """Wait until the application was told that a client has gone, and why."""
    reasons: list[str] = []

    def told() -> bool:
        reasons[:] = [reason for _, each, reason in features.left if each == sid]
        return bool(reasons)

    await until(told, "the disconnect handler")
    assert len(reasons) == 1
    return reasons[0]


async def test_text_and_binary_go_both_ways(features: Features, kind: str, options: dict[str, Any]) -> None:
    """In events and acknowledgements of both sides, many arguments, nested, large, empty."""
    sent: list[list[Any]] = [
        [],
        ["text", 1, None, [], {"a": [True]}],
        [b"\x00\x01\xff"],
        [b"", {"deep": [b"one", {"er": b"two"}]}, "€"],
        [bytes(range(256)) * 400],
        ["x" * 100_000],
    ]
    async with connected(features, kind, **options) as (one, sid):
        for args in sent:
            assert await one.ask("echo", *args) == args
            await one.ask("back", *args)
            assert arguments(await asyncio.to_thread(features.ask, sid, *args)) == args
        await until(lambda: len(one.heard("back")) == len(one.heard("ask")) == len(sent), "all of them")
        assert one.heard("back") == sent
        assert one.heard("ask") == sent


async def test_the_transport_is_the_best_that_may_be(features: Features, kind: str, options: dict[str, Any]) -> None:
    """Polling is upgraded unless the client does not want it."""
    async with connected(features, kind, **options) as (one, sid):
        wanted = "polling" if options.get("transports") == ["polling"] else "websocket"
        await until(lambda: one.transport == wanted, f"to be on {wanted}")
        await until(lambda: features.server.transport(sid) == wanted, "the server to say the same")
        assert await one.ask("echo", "there") == ["there"]


async def test_an_upgrade_loses_nothing_and_keeps_order(features: Features, kind: str) -> None:
    """The server sends and the client calls all the time, before, while and after the transport changes."""
    async with connected(features, kind, auth={"ticks": True}) as (one, _):
        acks = await asyncio.gather(*(one.ask("echo", number) for number in range(50)))
        for number in range(50, 150):
            acks.append(await one.ask("echo", number))
            await one.ask("back", number)
        assert acks == [[number] for number in range(150)]
        await until(lambda: len(one.heard("tick")) >= TICKS, "all ticks")
        assert one.heard("tick") == [[number] for number in range(TICKS)]
        await until(lambda: len(one.heard("back")) >= 100, "all answers")
        assert one.heard("back") == [[number] for number in range(50, 150)]
        assert one.transport == "websocket"


async def test_namespaces_share_a_connection_and_nothing_else(
    features: Features, kind: str, options: dict[str, Any]
) -> None:
    """Events, ids and rooms of one are not those of the other."""
    async with client(kind, features.url, others=[CUSTOM], **options) as one:
        await one.is_connected()
        await one.is_connected(CUSTOM)
        assert await one.ask("enter", "r", namespace=CUSTOM) == [["r"]]
        assert await one.ask("enter", "s") == [["s"]]
        await one.ask("back", "custom", namespace=CUSTOM)
        await one.ask("back", "default")
        await until(lambda: bool(one.heard("back") and one.heard("back", CUSTOM)), "both answers")
        assert one.heard("back", CUSTOM) == [["custom"]]
        assert one.heard("back") == [["default"]]


async def test_a_refusal_says_why(features: Features, kind: str, options: dict[str, Any]) -> None:
    """With a message and data; nobody is told of a connection or of its end."""
    before = len(features.joined), len(features.left)
    async with client(kind, features.url, auth={"refuse": "not you"}, **options) as one:
        await until(lambda: bool(one.happened("connect_error")), "the refusal")
        told = one.happened("connect_error")[0]
        if kind.startswith("js"):
            assert (told["message"], told["data"]) == ("not you", {"code": 7})
        else:
            assert told["data"] == {"message": "not you", "data": {"code": 7}}
        assert not one.happened("connect")
    assert (len(features.joined), len(features.left)) == before


async def test_rooms_are_told_and_the_sender_is_not(features: Features, options: dict[str, Any]) -> None:
    """One client of each kind in a room: everybody hears the others, in order, and nobody who has left."""
    async with AsyncExitStack() as stack:
        everybody = [await stack.enter_async_context(client(kind, features.url, **options)) for kind in KINDS]
        for one in everybody:
            await one.is_connected()
            assert await one.ask("enter", "lobby") == [["lobby"]]
            assert await one.ask("enter", "bar") == [["bar", "lobby"]]
        for number, one in enumerate(everybody):
            await one.ask("say", "lobby", number, {"bytes": b"\x01"})
            await one.ask("say", "nowhere", "nobody hears this")
        for number, one in enumerate(everybody):
            others = [[each, {"bytes": b"\x01"}] for each in range(4) if each != number]
            await until(lambda one=one: len(one.heard("said")) >= 3, "the others")  # type: ignore[misc]
            assert one.heard("said") == others
        leaver, *rest = everybody
        assert await leaver.ask("leave", "lobby") == [["bar"]]
        await rest[0].ask("say", "lobby", "without you")
        await rest[0].ask("say", "bar", "with you")
        await until(lambda: len(leaver.heard("said")) >= 4, "the bar")
        assert leaver.heard("said")[3:] == [["with you"]]


async def test_what_is_kept_with_a_session_lasts_as_long(features: Features, kind: str) -> None:
    """Each client its own, and in each namespace another."""
    async with client(kind, features.url, others=[CUSTOM]) as one, client(kind, features.url) as two:
        await one.is_connected()
        await one.is_connected(CUSTOM)
        await two.is_connected()
        await one.ask("remember", {"a": b"1"})
        await one.ask("remember", "custom", namespace=CUSTOM)
        await two.ask("remember", "two")
        assert await one.ask("recall") == [{"a": b"1"}]
        assert await one.ask("recall", namespace=CUSTOM) == ["custom"]
        assert await two.ask("recall") == ["two"]


async def test_a_client_that_leaves_is_gone_at_once(features: Features, kind: str, options: dict[str, Any]) -> None:
    """By its own will: it does not come back, and the application hears why."""
    async with connected(features, kind, **options) as (one, sid):
        await one.close()
        reasons = {"client disconnect"}
        if kind.startswith("python"):
            # Those may close a WebSocket before they have said goodbye, and never say it while another request is
            # under way: python-engineio's write loop ends after that.
            reasons.add("ping timeout" if options.get("transports") == ["polling"] else "transport close")
        assert await has_left(features, sid) in reasons
        await until(lambda: bool(one.happened("disconnect")), "the client's own event")
        assert one.happened("disconnect")[0]["reason"] in {"io client disconnect", "client disconnect"}


async def test_a_client_that_the_server_disconnects_stays_away(
    features: Features, kind: str, options: dict[str, Any]
) -> None:
    """`disconnect(sid)` is the way to end a client for good."""
    async with connected(features, kind, **options) as (one, sid):
        await asyncio.to_thread(features.disconnect, sid)
        assert await has_left(features, sid) == "server disconnect"
        await until(lambda: bool(one.happened("disconnect")), "the client's own event")
        assert one.happened("disconnect")[0]["reason"] in {"io server disconnect", "server disconnect"}
        async with connected(features, kind, **options) as (another, _):
            await another.ask("echo")
        assert len(one.happened("connect")) == 1


@pytest.mark.parametrize("how", ["go_away", "abort"])
async def test_a_client_comes_back_after_a_shutdown_or_a_loss(
    features: Features, kind: str, options: dict[str, Any], how: str
) -> None:
    """By itself, as a new client, with its namespaces and on both transports."""
    async with client(kind, features.url, others=[CUSTOM], **options) as one:
        for times in (1, 2, 3):
            await one.is_connected(times=times)
            await one.is_connected(CUSTOM, times=times)
            assert await one.ask("recall") == []
            await one.ask("remember", times)
            await one.ask("back", times)
            sid = [sid for namespace, sid in features.joined if namespace == "/"][-1]
            await asyncio.to_thread(getattr(features, how), sid)
            assert await has_left(features, sid) == ("server disconnect" if how == "go_away" else "transport error")
        await one.is_connected(times=4)
        assert await one.ask("echo", "again") == ["again"]
