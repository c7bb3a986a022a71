"""A bucket of a real nats-server: nobody overwrites what they have not seen."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from runtime.bus import Bus
from runtime.key_value import KeyValue, Value, WrongRevisionError
from tests.support.nats_server import connected, nats_server
from wire import streams, subjects
from wire.errors import ErrorCode, ParleyError

KEY = subjects.kept_session("a-pid")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server without any stream."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def bucket(bus: Bus) -> AsyncIterator[KeyValue]:
    """The bucket of sessions, as history declares it, empty."""
    await bus.jetstream.add_stream(streams.kept_sessions(replicas=1))
    yield KeyValue(bus, streams.KEPT_SESSIONS)
    await bus.jetstream.delete_stream(streams.KEPT_SESSIONS)


async def test_what_was_put_is_there(bucket: KeyValue) -> None:
    """With its revision; nothing before, and nothing but that after a deletion."""
    assert await bucket.get(KEY) is None
    first = await bucket.put(KEY, b"one", after=0)
    assert await bucket.get(KEY) == Value(first, b"one")
    second = await bucket.put(KEY, b"two", after=first)
    assert await bucket.get(KEY) == Value(second, b"two")
    third = await bucket.delete(KEY, after=second)
    assert await bucket.get(KEY) == Value(third, None)
    fourth = await bucket.put(KEY, b"again", after=third)
    assert first < second < third < fourth


@pytest.mark.parametrize("wrong", [0, 1, 3])
async def test_another_revision_than_was_seen_is_not_replaced(bucket: KeyValue, wrong: int) -> None:
    """Neither by a value nor by nothing."""
    await bucket.put(KEY, b"one", after=0)
    right = await bucket.put(KEY, b"two", after=1)
    for put in (bucket.put(KEY, b"x", after=wrong), bucket.delete(KEY, after=wrong)):
        with pytest.raises(WrongRevisionError):
            await put
    assert await bucket.get(KEY) == Value(right, b"two")


async def test_of_many_who_replace_the_same_revision_one_succeeds(bucket: KeyValue) -> None:
    """All others are told."""
    puts = [bucket.put(KEY, str(number).encode(), after=0) for number in range(20)]
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert [type(each) for each in results].count(WrongRevisionError) == 19
    (revision,) = [each for each in results if isinstance(each, int)]
    assert await bucket.get(KEY) == Value(revision, str(results.index(revision)).encode())


async def test_a_bucket_that_is_not_there_is_unavailable(bus: Bus) -> None:
    """To whoever reads and to whoever puts."""
    missing = KeyValue(bus, streams.KEPT_SESSIONS)
    for work in (missing.get(KEY), missing.put(KEY, b"x", after=0), missing.delete(KEY, after=1)):
        with pytest.raises(ParleyError) as refused:
            await work
        assert refused.value.code is ErrorCode.UNAVAILABLE


async def test_others_can_read_it_as_a_bucket(bus: Bus, bucket: KeyValue) -> None:
    """Operators with `nats kv`, and every client library."""
    await bucket.put(KEY, b"one", after=0)
    theirs = await bus.jetstream.key_value("SESSIONS")
    entry = await theirs.get("a-pid")
    assert (entry.value, entry.revision) == (b"one", 1)
