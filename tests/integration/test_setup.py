"""The admin step `python -m services.history setup`, on a real nats-server of its own and the stack's MongoDB."""

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest_asyncio
from nats.js.api import StorageType
from nats.js.errors import NotFoundError
from pymongo import MongoClient

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT
from runtime.bus import Bus
from tests.support.clients.parley import PythonClient
from tests.support.nats_server import NatsServer, connected, nats_server
from tests.support.setting_up import set_up, set_up_in_vain, step
from tests.support.stacks import TestStack, is_ready_at, unique
from tests.support.waiting import until
from wire import streams

ALL = {streams.MESSAGES, streams.CONTROL, streams.KEPT_SESSIONS}


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[NatsServer]:
    """A server without any stream."""
    async with nats_server() as started:
        yield started


def _environ(stack: TestStack, server: NatsServer, **more: str) -> dict[str, str]:
    return {**stack.environment("setup"), "NATS_URL": server.url, **more}


async def _there(bus: Bus) -> set[str]:
    return {each.config.name or "" for each in await bus.jetstream.streams_info()}


async def test_it_makes_everything_once(stack: TestStack, server: NatsServer) -> None:
    """All streams, the bucket and the consumer, also by two at once; again, it changes nothing in them."""
    environ = _environ(stack, server)
    both = await asyncio.gather(set_up(environ), set_up(environ))
    assert [each.code for each in both] == [0, 0], both
    async with connected(server.url) as bus:
        manager = bus.jetstream
        assert await _there(bus) == ALL
        made = {each.config.name: each for each in await manager.streams_info()}
        configs = [each.config for each in made.values()]
        await manager.publish("chat.room.r.message", b"kept")
        consumer = await manager.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
        assert (await set_up(environ)).code == 0
        again = {each.config.name: each for each in await manager.streams_info()}
        assert [again[name].config for name in made] == configs
        assert again[streams.MESSAGES].state.messages == 1
        assert again[streams.MESSAGES].created == made[streams.MESSAGES].created
        same = await manager.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
        assert same.created == consumer.created
    client: MongoClient[dict[str, Any]] = MongoClient(stack.mongo_url_of("root"))
    with client:
        indexes = client["parley_history"]["notifications"].index_information().values()
        assert [each["key"] for each in indexes if each.get("sparse")] == [[("user", 1)]]
        assert [each["key"] for each in indexes if each.get("expireAfterSeconds") == 0] == [[("expires_at", 1)]]


async def test_settings_that_changed_are_taken_over(stack: TestStack, server: NatsServer) -> None:
    """Those of a stream that is there, and of a bucket that an older version has made; nothing in them is lost."""
    async with connected(server.url) as bus:
        manager = bus.jetstream
        await manager.add_stream(streams.kept_sessions(replicas=1).evolve(max_age=60))
        await manager.publish("$KV.SESSIONS.pid", b"kept")
        assert (await set_up(_environ(stack, server))).code == 0
        assert (await set_up(_environ(stack, server, MESSAGES_MAX_BYTES="1000000"))).code == 0
        assert (await manager.stream_info(streams.MESSAGES)).config.max_bytes == 1_000_000
        bucket = await manager.stream_info(streams.KEPT_SESSIONS)
        assert (bucket.config.max_age, bucket.state.messages) == (streams.KEPT_SESSION_SECONDS, 1)


async def test_it_waits_for_nats(stack: TestStack, server: NatsServer) -> None:
    """Started before nats-server is there: it ends well once it is."""
    await server.kill()
    async with step(_environ(stack, server)) as running:
        line = await asyncio.wait_for(running.process.stdout.readline(), 20)  # type: ignore[union-attr]
        assert b"nats error" in line
        await server.start()
        assert (await running.ended()).code == 0


async def test_it_gives_up_in_one_line(stack: TestStack, server: NatsServer) -> None:
    """Exit code 1 after SETUP_SECONDS: without NATS, and without MongoDB, of which no password is repeated."""
    nobody = Ports.free().mongo
    mongo = f"mongodb://user:hunter2@{HOST}:{nobody}/?directConnection=true"
    without_mongo = await set_up(_environ(stack, server, MONGO_URL=mongo, SETUP_SECONDS="4"))
    assert without_mongo.code == 1
    assert without_mongo.said.startswith("setup: not done within 4 s: history's indexes (WriteFailedError: ")
    assert without_mongo.said.count("\n") == 1
    async with connected(server.url) as bus:
        assert await _there(bus) == ALL - {streams.MESSAGES}, "it may have to start above what MongoDB holds"
    await server.kill()
    without_nats = await set_up(_environ(stack, server, SETUP_SECONDS="1"))
    assert (without_nats.code, without_nats.said) == (1, "setup: not done within 1 s: nats (no connection)\n")
    assert "hunter2" not in f"{without_mongo}{without_nats}"


async def test_more_replicas_than_servers_are_refused(stack: TestStack, server: NatsServer) -> None:
    """Nothing is made with fewer; it is tried until the time is over, and said once."""
    ended = await set_up_in_vain(_environ(stack, server, MESSAGES_REPLICAS="3"), *ALL)
    assert ended.code == 1
    assert all(f"{name} (" in ended.said for name in ALL)
    for reasons in ended.reasons().values():
        assert all(reason != following for reason, following in pairwise(reasons)), reasons
    async with connected(server.url) as bus:
        assert await _there(bus) == set()


async def test_what_cannot_be_made_does_not_keep_the_rest_back(stack: TestStack, server: NatsServer) -> None:
    """A bucket with other storage, which nats-server does not change: all else is made, and one line says so."""
    async with connected(server.url) as bus:
        await bus.jetstream.add_stream(streams.kept_sessions(replicas=1).evolve(storage=StorageType.MEMORY))
        ended = await set_up(_environ(stack, server, SETUP_SECONDS="10"))
        assert ended.code == 1
        assert "KV_SESSIONS (" in ended.said
        assert "MESSAGES" not in ended.said
        assert await _there(bus) == ALL
        await bus.jetstream.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)


async def test_it_ends_when_it_is_told_to(stack: TestStack, server: NatsServer) -> None:
    """As the first process of a container, too: SIGTERM, exit code 1, one line."""
    await server.kill()
    async with step(_environ(stack, server)) as running:
        await asyncio.wait_for(running.process.stdout.readline(), 20)  # type: ignore[union-attr]
        running.process.terminate()
        ended = await asyncio.wait_for(running.ended(), 20)
    assert (ended.code, ended.said) == (1, "setup: stopped, not done: nats (no connection)\n")


async def test_history_makes_nothing_itself(stack: TestStack, server: NatsServer) -> None:
    """It says once what to run, is not ready, and goes on by itself when that was done."""
    port = Ports.free().history_admin
    environ = {**stack.environment("history"), "NATS_URL": server.url, "ADMIN_PORT": str(port)}
    lines: list[str] = []
    command = [sys.executable, "-m", "services.history"]
    history = Child("history", command, cwd=ROOT, environ=environ, sink=lambda _, line: lines.append(line))
    admin = f"http://{HOST}:{port}"
    await history.start()
    try:
        async with connected(server.url) as bus:

            async def asked_often() -> bool:
                return (await bus.jetstream.account_info()).api.total > 6

            await until(lambda: is_ready_at(admin, "/livez"), "it to live")
            await until(asked_often, "it to have looked several times")
            assert not await is_ready_at(admin)
            assert await _there(bus) == set()
            await bus.jetstream.add_stream(streams.messages(replicas=1, max_age=60, dedupe_window=10))
            missing = "the consumer history is missing"
            await until(lambda: any(missing in line for line in lines), "it to have seen the stream")
            try:
                await bus.jetstream.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
                raise AssertionError("it made its consumer")
            except NotFoundError:
                pass
        assert (await set_up(_environ(stack, server))).code == 0
        await until(lambda: is_ready_at(admin), "it to be ready")
    finally:
        await history.kill()
    told = [line for line in lines if "run `python -m services.history setup`" in line]
    assert len(told) == 2, "once for each thing that was missing"


async def test_persisted_waits_for_mongodb_or_says_what_is_missing(own_stack: TestStack) -> None:
    """0 once history has everything; otherwise 1, and one line: how much it has not, or that there is no stream."""
    stack, room = own_stack, unique("persisted")
    environ = {**stack.environment("setup"), "SETUP_SECONDS": "5"}
    await stack.children["history"].stop()
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as one:
        await one.join(room)
        for number in range(3):
            assert (await one.say(room, f"m{number}"))["ok"]
        behind = await set_up(environ, "persisted")
        assert (behind.code, behind.said) == (
            1,
            "persisted: not within 5 s: 3 messages are not in MongoDB yet\n",
        )
        await stack.children["history"].start()
        ended = await set_up(stack.environment("setup"), "persisted")
        assert ended.code == 0, ended
        assert any('"upto": 3' in line for line in ended.logged)
    async with stack.nats() as client:
        await client.jetstream().delete_stream(streams.MESSAGES)
    without = await set_up(environ, "persisted")
    assert without.code == 1
    assert without.said.startswith("persisted: not within 5 s: NotFoundError")
