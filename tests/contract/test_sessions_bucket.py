"""Who looks after the bucket of sessions, on a real nats-server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
import structlog
from nats.js.api import StorageType
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from services.history import app, sessions_bucket
from services.history.sessions_bucket import SessionsBucket
from tests.support.nats_server import connected, nats_server
from tests.support.waiting import until
from wire import streams


@pytest_asyncio.fixture(loop_scope="session")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server without any stream."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_bucket, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(sessions_bucket, "_RETRY_SECONDS", 0.01)


@asynccontextmanager
async def _kept(bus: Bus, *, replicas: int = 1) -> AsyncIterator[None]:
    keeping = asyncio.create_task(SessionsBucket(bus, replicas=replicas).keep())
    try:
        yield
        assert not keeping.done()
    finally:
        await app._ended(keeping, within=0)


async def _is_there(bus: Bus) -> bool:
    try:
        config = (await bus.jetstream.stream_info(streams.KEPT_SESSIONS)).config
    except NotFoundError:
        return False
    return config.storage == StorageType.FILE and config.max_age == streams.KEPT_SESSION_SECONDS


async def test_the_bucket_is_made_and_comes_back_whenever_it_is_lost(bus: Bus) -> None:
    """More than once, and with the same settings."""
    async with _kept(bus):
        for _ in range(3):
            await until(lambda: _is_there(bus), "the bucket")
            await bus.jetstream.delete_stream(streams.KEPT_SESSIONS)
        await until(lambda: _is_there(bus), "the bucket")


async def test_a_bucket_of_before_gets_todays_settings_and_keeps_what_it_holds(bus: Bus) -> None:
    """As when history is updated."""
    await bus.jetstream.add_stream(streams.kept_sessions(replicas=1).evolve(max_age=60))
    await bus.jetstream.publish("$KV.SESSIONS.pid", b"kept")
    async with _kept(bus):
        await until(lambda: _is_there(bus), "the new settings")
    assert (await bus.jetstream.stream_info(streams.KEPT_SESSIONS)).state.messages == 1


async def test_that_it_cannot_be_made_is_logged_once(bus: Bus) -> None:
    """With other storage nats-server refuses it; once that is gone, it is made."""
    odd = streams.kept_sessions(replicas=1).evolve(storage=StorageType.MEMORY)
    await bus.jetstream.add_stream(odd)
    with structlog.testing.capture_logs() as logged:
        async with _kept(bus):
            before = bus.client.stats["out_msgs"]
            await until(lambda: bus.client.stats["out_msgs"] > before + 5, "several tries")
            assert not await _is_there(bus)
            await bus.jetstream.delete_stream(streams.KEPT_SESSIONS)
            await until(lambda: _is_there(bus), "the bucket")
    assert [each["log_level"] for each in logged] == ["warning", "info"]
    assert "storage" in logged[0]["detail"]


async def test_more_replicas_than_servers_are_refused_and_tried_again(bus: Bus) -> None:
    """Nothing is made with fewer."""
    with structlog.testing.capture_logs() as logged:
        async with _kept(bus, replicas=3):
            before = bus.client.stats["out_msgs"]
            await until(lambda: bus.client.stats["out_msgs"] > before + 5, "several tries")
            assert not await _is_there(bus)
    assert [each["log_level"] for each in logged] == ["warning"]
