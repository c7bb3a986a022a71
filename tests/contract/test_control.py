"""A gateway follows the stream CONTROL of a real nats-server: all of it, once, in order, whatever it did not hear."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from runtime import stored
from runtime.bus import Bus
from services.auth.announcing import Announcer
from services.gateway.control import Control
from tests.support.nats_server import NatsServer, connected, nats_server
from tests.support.waiting import until
from wire import control, streams
from wire.control import MembersChanged, SessionRevoked, UserRevoked
from wire.errors import ErrorCode, ParleyError


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[NatsServer]:
    """With the stream."""
    async with nats_server() as started, connected(started.url) as bus:
        await bus.jetstream.add_stream(streams.control(replicas=1))
        yield started


class _Follower:
    """A gateway, as far as this goes."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.applied: list[control.Control] = []
        self.times_current = 0
        self.settled = -1
        """How many had been applied when it was made sure that there are no others."""
        self.control = Control(bus, self._apply, self._on_current, self._on_abreast)
        self._hear: Callable[[Any], None] = self.control._on_live
        self.late: list[control.Control] = []
        """Those that were applied when others may have followed them already."""

    def _apply(self, message: control.Control) -> None:
        self.applied.append(message)
        if not self.control.is_abreast:
            self.late.append(message)

    def _on_abreast(self) -> None:
        assert self.control.is_abreast
        self.settled = len(self.applied)

    def _on_current(self) -> None:
        self.times_current += 1

    def hears(self, hear: Callable[[Any], None]) -> None:
        """Have what comes live come to `hear` from now on."""
        before = self._hear
        for listening in self.bus.client._subs.values():
            if getattr(listening, "deliver", None) == before:
                object.__setattr__(listening, "deliver", hear)
        self._hear = hear

    @property
    def rooms(self) -> list[str]:
        """Of all changes of members."""
        return [each.room for each in self.applied if isinstance(each, MembersChanged)]


@asynccontextmanager
async def _following(server: NatsServer) -> AsyncIterator[_Follower]:
    async with connected(server.url) as bus:
        follower = _Follower(bus)
        async with follower.control.followed():
            yield follower


@asynccontextmanager
async def _auth(server: NatsServer) -> AsyncIterator[Announcer]:
    async with connected(server.url) as bus:
        yield Announcer(bus, token_seconds=600)


async def _change(auth: Announcer, *rooms: str) -> None:
    for room in rooms:
        await auth.members_changed(MembersChanged(room=room, removed=("u-ann",), reason="removed"))


def _names(start: int, end: int) -> list[str]:
    return [f"g-{number}" for number in range(start, end)]


async def test_what_is_published_is_applied_in_order(server: NatsServer) -> None:
    """Live, and once each."""
    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, *_names(0, 50))
        await until(lambda: len(follower.rooms) >= 50, "all of it")
        assert follower.rooms == _names(0, 50)
        assert follower.times_current == 1


async def test_at_the_start_revocations_are_read_and_nothing_else(server: NatsServer) -> None:
    """Nobody is here yet, so nobody can be removed; but tokens that were revoked are still about."""
    async with _auth(server) as auth:
        await auth.session_revoked("s-1", "u-ann")
        await _change(auth, "g-1")
        await auth.user_revoked("u-bob", before=5)
        await auth.session_revoked("s-2", "u-cleo")
        async with _following(server) as follower:
            assert [type(each) for each in follower.applied] == [SessionRevoked, SessionRevoked, UserRevoked]
            await _change(auth, "g-2")
            await until(lambda: follower.rooms == ["g-2"], "what comes after")


async def test_what_is_published_while_it_reads_is_known_before_it_is_current(server: NatsServer) -> None:
    """Much may have to be read, and whoever is revoked meanwhile must not get in."""
    async with _auth(server) as auth, connected(server.url) as bus:
        for number in range(20):
            await auth.session_revoked(f"s-{number}", "u-ann")
        follower = _Follower(bus)
        known: list[int] = []
        follower.control._on_current = lambda: known.append(len(follower.applied))
        apply = follower.control._apply

        def meanwhile(message: control.Control) -> None:
            apply(message)
            if len(follower.applied) == 1:
                late.append(asyncio.create_task(auth.session_revoked("s-late", "u-ann")))

        late: list[asyncio.Task[None]] = []
        follower.control._apply = meanwhile
        async with follower.control.followed():
            assert len(late) == 1
            await late[0]
            assert known == [21]


async def test_whoever_was_cut_off_reads_up_before_it_is_current(server: NatsServer) -> None:
    """From the moment of the loss nobody is served; then everything that was missed is there, in order."""
    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, *_names(0, 3))
        await until(lambda: len(follower.rooms) == 3, "the first")
        seen: list[int] = []
        follower.control._on_current = lambda: seen.append(len(follower.rooms))
        follower.bus.disconnected()
        assert not follower.control.is_current
        with pytest.raises(ParleyError) as refused:
            follower.control.check()
        assert refused.value.code is ErrorCode.UNAVAILABLE
        assert await follower.control.why_not_ready()
        await _change(auth, *_names(3, 40))
        await until(lambda: follower.control.is_current, "to be current again")
        await until(lambda: len(follower.rooms) >= 40, "all of it")
        assert follower.rooms == _names(0, 40)
        assert len(seen) == 1


async def test_what_is_read_up_may_have_been_undone_and_what_is_live_was_not(server: NatsServer) -> None:
    """It is known which is which, and when nothing of the past is left."""
    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, *_names(0, 3))
        await until(lambda: len(follower.rooms) == 3, "what comes live")
        assert follower.late == []
        follower.hears(lambda _: None)
        follower.bus.disconnected()
        await _change(auth, *_names(3, 40))
        follower.hears(follower.control._on_live)
        await until(lambda: follower.settled >= 40, "all of it to be known")
        assert follower.late == follower.applied[3:]
        await _change(auth, "g-40")
        await until(lambda: len(follower.rooms) == 41, "what comes live again")
        assert follower.late == follower.applied[3:40]
        follower.control._turned_at -= 4
        follower.control._turned()
        assert not follower.control.is_abreast, "it stood still"
        await until(lambda: follower.control.is_abreast and follower.settled == 41, "it to have been looked up")


async def test_whoever_stood_still_reads_up_too(server: NatsServer) -> None:
    """What clients have sent meanwhile may come first. A short pause is none, and what comes live is in its order."""
    async with _following(server) as follower:
        follower.control._turned_at -= 1
        follower.control.check()
        for asks in (True, False):
            follower.control._turned_at -= 4
            if asks:
                with pytest.raises(ParleyError) as refused:
                    follower.control.check()
                assert refused.value.code is ErrorCode.UNAVAILABLE
            with capture_logs() as logs:
                await until(lambda asks=asks: asks or bool(logs), "it to be noticed without anybody's asking")  # type: ignore[misc]
            assert follower.control.is_current
            await until(lambda: follower.control._is_sure, "to be sure again")
            follower.control.check()
        assert follower.times_current == 1


async def test_what_is_lost_on_its_way_is_noticed(server: NatsServer) -> None:
    """By the next one, or soon without any."""
    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, "g-0")
        await until(lambda: follower.rooms == ["g-0"], "the first")
        hear: Callable[..., None] = follower.control._on_live
        rng = random.Random(5)
        lost = 0

        def unreliable(delivery: object) -> None:
            nonlocal lost
            if rng.random() < 0.5:
                lost += 1
            else:
                hear(delivery)

        follower.hears(unreliable)
        await _change(auth, *_names(1, 60))
        await until(lambda: len(follower.rooms) >= 60, "all of it")
        assert follower.rooms == _names(0, 60)
        assert lost > 10


async def test_whoever_knows_of_a_hole_serves_nobody_until_it_is_filled(server: NatsServer) -> None:
    """From the turn on in which it shows: whoever what is missing is about may be here no more."""
    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, "g-0")
        await until(lambda: follower.rooms == ["g-0"], "the first")
        refused: list[bool] = []
        waiting: list[Any] = []

        def hear_later(delivery: Any) -> None:
            waiting.append(delivery)

        def hear_the_second(delivery: Any) -> None:
            follower.control._on_live(delivery)
            with suppress(ParleyError):
                follower.control.check()
                refused.append(False)

        follower.hears(hear_later)
        await _change(auth, "g-1")
        await until(lambda: bool(waiting), "the one that is lost")
        follower.hears(hear_the_second)
        await _change(auth, "g-2")
        await until(lambda: follower.rooms == _names(0, 3), "both")
        assert refused == []
        await until(lambda: follower.control.is_abreast, "to be sure again")
        follower.control.check()


async def test_what_comes_while_it_asks_is_applied_at_once(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks every few seconds whether there is anything else, and the answer may take its time."""
    asked, may_answer = asyncio.Event(), asyncio.Event()
    info = stored.info

    async def late(bus: Bus, stream: str) -> Any:
        found = await info(bus, stream)
        asked.set()
        await may_answer.wait()
        return found

    async with _following(server) as follower, _auth(server) as auth:
        await _change(auth, "g-0")
        await until(lambda: follower.rooms == ["g-0"], "the first")
        monkeypatch.setattr(stored, "info", late)
        follower.control._signs.set()
        async with asyncio.timeout(10):
            await asked.wait()
        await _change(auth, *_names(1, 4))
        await until(lambda: follower.rooms == _names(0, 4), "what comes live, although nobody has answered")
        follower.control.check()
        assert follower.late == []
        may_answer.set()
        await until(lambda: follower.settled == 4, "nothing else to be found")
        await _change(auth, "g-4")
        await until(lambda: follower.rooms == _names(0, 5), "each once")


async def test_a_stream_that_was_made_anew_is_read_from_its_beginning(server: NatsServer) -> None:
    """Whatever its numbers."""
    async with _following(server) as follower, _auth(server) as auth, connected(server.url) as admin:
        await _change(auth, *_names(0, 3))
        await until(lambda: len(follower.rooms) == 3, "the first")
        with capture_logs() as logs:
            await admin.jetstream.delete_stream(streams.CONTROL)
            await admin.jetstream.add_stream(streams.control(replicas=1))
            await _change(auth, *_names(10, 15))
            await until(lambda: set(_names(10, 15)) <= set(follower.rooms), "what is in the new one")
        assert any("made anew" in each["event"] for each in logs)


async def test_what_cannot_be_read_is_left_out(server: NatsServer) -> None:
    """It is logged, and what follows is applied."""
    async with _following(server) as follower, _auth(server) as auth, connected(server.url) as admin:
        with capture_logs() as logs:
            await admin.jetstream.publish("control.room.g-1", b"garbage")
            await _change(auth, "g-2")
            await until(lambda: follower.rooms == ["g-2"], "what follows")
        assert any(each["log_level"] == "error" for each in logs)


async def test_what_cannot_be_applied_does_not_keep_back_what_follows(server: NatsServer) -> None:
    """Neither live nor read: a gateway that has ceased to follow would never hear of anything again."""
    async with _following(server) as follower, _auth(server) as auth:
        apply = follower.control._apply

        def badly(message: control.Control) -> None:
            apply(message)
            if follower.rooms[-1] in {"g-0", "g-2"}:
                raise RuntimeError

        follower.control._apply = badly
        with capture_logs() as logs:
            await _change(auth, "g-0", "g-1")
            await until(lambda: follower.rooms == ["g-0", "g-1"], "what follows live")
            follower.bus.disconnected()
            follower.hears(lambda _: None)
            await _change(auth, "g-2", "g-3")
            await until(lambda: follower.rooms[2:] == ["g-2", "g-3"], "what is read")
            await until(lambda: follower.control.is_current, "it to be current")
        assert sum(each["log_level"] == "error" for each in logs) == 2


async def test_it_begins_once_the_stream_is_there() -> None:
    """Until then it waits, and is not ready."""
    async with nats_server() as server, connected(server.url) as bus:
        follower = _Follower(bus)
        began = asyncio.Event()

        async def follow() -> None:
            async with follower.control.followed():
                began.set()
                await asyncio.Event().wait()

        with capture_logs() as logs:
            task = asyncio.create_task(follow())
            await until(lambda: bool(logs), "it to find that there is none")
        try:
            assert not began.is_set()
            assert await follower.control.why_not_ready()
            await bus.jetstream.add_stream(streams.control(replicas=1))
            await until(began.is_set, "it to begin")
        finally:
            task.cancel()
