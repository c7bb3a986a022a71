"""What all gateways must hear, in the stream CONTROL of a real nats-server."""

import math
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from nats.js.api import RawStreamMsg

from runtime.bus import Bus
from services.auth.announcing import Announcer
from tests.support.nats_server import connected, nats_server
from wire import codec, streams, subjects
from wire.control import MembersChanged, SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError

TOKEN_SECONDS = 600
MARGIN = 40


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bus() -> AsyncIterator[Bus]:
    """A connection to a server without any stream."""
    async with nats_server() as server, connected(server.url) as connection:
        yield connection


@pytest_asyncio.fixture(loop_scope="session")
async def announcer(bus: Bus) -> AsyncIterator[Announcer]:
    """With the stream that it publishes into, empty."""
    await bus.jetstream.add_stream(streams.control(replicas=1))
    yield Announcer(bus, token_seconds=TOKEN_SECONDS)
    await bus.jetstream.delete_stream(streams.CONTROL)


async def last(bus: Bus, subject: str) -> RawStreamMsg:
    """The stream's last message of `subject`."""
    return await bus.jetstream.get_last_msg(streams.CONTROL, subject)


def seconds(message: RawStreamMsg) -> int:
    """Its time to live."""
    return int((message.headers or {})["Nats-TTL"])


async def test_a_revoked_session_is_kept_until_its_last_token_has_expired(bus: Bus, announcer: Announcer) -> None:
    """One that may have been issued just now, or the one that was presented, whichever expires last."""
    await announcer.session_revoked("s-1", "u-ann")
    message = await last(bus, subjects.session_revoked("s-1"))
    revoked = codec.Decoder(SessionRevoked).decode(message.data or b"")
    assert revoked == SessionRevoked(session="s-1", user="u-ann", until=revoked.until)
    assert abs(revoked.until - time.time() - TOKEN_SECONDS - MARGIN) <= 2
    assert seconds(message) == TOKEN_SECONDS + MARGIN
    await announcer.session_revoked("s-1", "u-ann", expires_at=time.time() + 5000)
    assert abs(seconds(await last(bus, subjects.session_revoked("s-1"))) - 5000 - MARGIN) <= 2
    await announcer.session_revoked("s-1", "u-ann", expires_at=time.time() - 5000)
    assert seconds(await last(bus, subjects.session_revoked("s-1"))) == TOKEN_SECONDS + MARGIN


async def test_no_token_makes_the_stream_keep_more_than_it_does(bus: Bus, announcer: Announcer) -> None:
    """A minted token may be good for a year."""
    await announcer.session_revoked("s-1", "u-ann", expires_at=time.time() + 1e9)
    assert seconds(await last(bus, subjects.session_revoked("s-1"))) == math.ceil(streams.CONTROL_SECONDS)


async def test_a_revoked_user_is_kept_as_long_as_anybodys_token_can_be_good(bus: Bus, announcer: Announcer) -> None:
    """An external issuer's too."""
    await announcer.user_revoked("u-1", before=1234)
    message = await last(bus, subjects.user_revoked("u-1"))
    assert message.data == codec.encode(UserRevoked(user="u-1", before=1234))
    assert seconds(message) == streams.TOKEN_SECONDS_MOST + MARGIN


async def test_a_change_of_members_is_kept_as_long_as_the_stream_keeps_any(bus: Bus, announcer: Announcer) -> None:
    """It has no time to live of its own."""
    change = MembersChanged(room="g-1", added=("u-1",), removed=("u-2",), reason="removed")
    await announcer.members_changed(change)
    message = await last(bus, subjects.members_changed("g-1"))
    assert message.data == codec.encode(change)
    assert not message.headers


async def test_what_is_not_stored_is_unavailable(bus: Bus) -> None:
    """Without the stream nobody is told that it is done."""
    announcer = Announcer(bus, token_seconds=TOKEN_SECONDS)
    for work in (
        announcer.session_revoked("s-1", "u-ann"),
        announcer.user_revoked("u-1", before=1),
        announcer.members_changed(MembersChanged(room="g-1")),
    ):
        with pytest.raises(ParleyError) as refused:
            await work
        assert refused.value.code is ErrorCode.UNAVAILABLE


async def test_a_stream_that_refuses_is_unavailable(bus: Bus) -> None:
    """It says why, and whoever asked may try again."""
    declared = streams.control(replicas=1)
    declared.allow_msg_ttl = False
    await bus.jetstream.add_stream(declared)
    with pytest.raises(ParleyError, match="TTL") as refused:
        await Announcer(bus, token_seconds=TOKEN_SECONDS).session_revoked("s-1", "u-ann")
    assert refused.value.code is ErrorCode.UNAVAILABLE
    assert refused.value.retry_after
    await bus.jetstream.delete_stream(streams.CONTROL)
