"""The relay: what comes live with holes goes to members without."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.listening import Delivery
from runtime.stream import Entry
from services.gateway import metrics
from services.gateway import relay as relay_module
from services.gateway.relay import Relay
from services.gateway.rooms import Room
from tests.support.edge import CURRENT, NOBODY_ASKS, Current
from tests.support.waiting import until
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.messages import Author, ChatMessage


def _chat(seq: int) -> ChatMessage:
    return ChatMessage(id=f"m{seq}", author=Author(id="u", display_name="U"), body="x", ts=1)


class _Stream:
    """Stands for the stream: holds seqs, and does not answer the first `failures` times."""

    def __init__(self, seqs: list[int], failures: int = 0) -> None:
        self.seqs = seqs
        self.failures = failures

    def _answer(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ParleyError(ErrorCode.UNAVAILABLE, "not now")

    async def last_seq(self, _room: str) -> int:
        self._answer()
        return max(self.seqs, default=0)

    async def between(self, _room: str, after: int, upto: int) -> AsyncIterator[Entry]:
        for seq in self.seqs:
            if after < seq <= upto:
                self._answer()
                yield Entry(seq, _chat(seq), float(seq))


class _FanOut:
    def __init__(self) -> None:
        self.delivered: list[tuple[int, int]] = []
        self.stored_at: list[float] = []

    def deliver(self, _room: Room, message: Any, *, stored_at: float) -> None:
        self.delivered.append((message.prev, message.seq))
        self.stored_at.append(stored_at)


def _live(seq: int, prev: int) -> Delivery:
    headers = f"Nats-Sequence: {seq}\r\nNats-Last-Sequence: {prev}\r\nNats-Time-Stamp: 2026-01-01T00:00:00.123456789Z"
    block = f"NATS/1.0\r\n{headers}\r\n\r\n".encode()
    return Delivery(b"live.room.r.message", codec.encode(_chat(seq)), block)


def _room(last_seq: int) -> Room:
    room = Room("r")
    room.last_seq = last_seq
    room.subscription = object()  # type: ignore[assignment]
    return room


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_SHORTEST_PAUSE", 0.0)


async def _relay(stream: _Stream, room: Room, *messages: Delivery) -> list[tuple[int, int]]:
    fan_out = _FanOut()
    relay = Relay(fan_out, stream, CURRENT, NOBODY_ASKS)  # type: ignore[arg-type]
    for each in messages:
        relay.on_live(room, each)
    await until(lambda: not relay._tasks, "what was missing")
    return fan_out.delivered


async def test_a_hole_is_filled_before_anything_newer() -> None:
    """Seqs of the same room only, in order, each naming the one before it."""
    delivered = await _relay(_Stream([3, 5, 8, 9]), _room(3), _live(9, 8))
    assert delivered == [(3, 5), (5, 8), (8, 9)]


async def test_what_fills_a_hole_is_as_old_as_it_is() -> None:
    """Whoever gets late what a hole has kept back has waited for it; a hole that is filled is open no more."""
    open_before, open_then = metrics.gaps_open._value.get(), []

    class Watched(_Stream):
        def _answer(self) -> None:
            open_then.append(metrics.gaps_open._value.get())
            super()._answer()

    fan_out = _FanOut()
    relay = Relay(fan_out, Watched([3, 5, 8], failures=1), CURRENT, NOBODY_ASKS)  # type: ignore[arg-type]
    relay.on_live(_room(3), _live(9, 8))
    await until(lambda: not relay._tasks, "what was missing")
    assert fan_out.stored_at == [5.0, 8.0, pytest.approx(datetime(2026, 1, 1, tzinfo=UTC).timestamp(), abs=0.2)]
    assert open_then == [open_before + 1] * 3
    assert metrics.gaps_open._value.get() == open_before


async def test_a_message_that_was_delivered_is_not_delivered_again() -> None:
    """Neither live again, nor live after it filled a hole."""
    assert await _relay(_Stream([3, 5]), _room(3), _live(5, 3), _live(5, 3)) == [(3, 5)]


@pytest.mark.parametrize("failures", [1, 5])
async def test_a_stream_that_does_not_answer_is_asked_again(failures: int) -> None:
    """Nothing is skipped, however often it takes."""
    delivered = await _relay(_Stream([3, 5, 8, 9], failures), _room(3), _live(9, 8))
    assert delivered == [(3, 5), (5, 8), (8, 9)]


async def test_catching_up_insists_too() -> None:
    """After a reconnect, with a stream that does not answer at first."""
    fan_out, room = _FanOut(), _room(5)
    await Relay(fan_out, _Stream([5, 6, 7], failures=3), CURRENT, NOBODY_ASKS).catch_up(room)  # type: ignore[arg-type]
    assert fan_out.delivered == [(5, 6), (6, 7)]


async def test_a_room_that_cannot_be_caught_up_with_does_not_end_the_others() -> None:
    """More of them than are caught up with at once; those that fail are logged."""

    class Failing(_Stream):
        async def last_seq(self, room: str) -> int:
            if room == "bad":
                raise RuntimeError("unexpected")
            return await super().last_seq(room)

    fan_out, rooms = _FanOut(), [_room(5) for _ in range(100)]
    for each in rooms[::2]:
        each.name = "bad"
    with capture_logs() as logs:
        await Relay(fan_out, Failing([5, 6]), CURRENT, NOBODY_ASKS).catch_up_all(rooms)  # type: ignore[arg-type]
    assert fan_out.delivered == [(5, 6)] * 50
    assert [each["log_level"] for each in logs] == ["error"] * 50


async def test_a_room_that_was_closed_is_not_waited_for() -> None:
    """Nobody is there to deliver to."""
    room = _room(5)
    room.subscription = None
    fan_out = _FanOut()
    await Relay(fan_out, _Stream([5, 6], failures=1), CURRENT, NOBODY_ASKS).catch_up(room)  # type: ignore[arg-type]
    assert fan_out.delivered == []


async def test_a_room_that_closes_while_a_hole_is_filled_is_no_loss() -> None:
    """Nobody is left to miss anything, and nobody is woken at night."""

    class Closing(_Stream):
        async def between(self, _room: str, after: int, upto: int) -> AsyncIterator[Entry]:
            room.subscription = None
            raise ParleyError(ErrorCode.UNAVAILABLE, "not now")
            yield Entry(after, _chat(upto))

    room = _room(5)
    before, open_before = metrics.gaps_unhealable._value.get(), metrics.gaps_open._value.get()
    await Relay(_FanOut(), Closing([5, 6]), CURRENT, NOBODY_ASKS).catch_up(room)  # type: ignore[arg-type]
    assert metrics.gaps_unhealable._value.get() == before
    assert metrics.gaps_open._value.get() == open_before


async def test_what_cannot_be_had_is_missed_once() -> None:
    """The newest message of a room that nobody can read: whoever asks again does not find another hole."""

    class Unreadable(_Stream):
        async def last_seq(self, _room: str) -> int:
            return 9

    fan_out, room = _FanOut(), _room(5)
    relay = Relay(fan_out, Unreadable([5, 6]), CURRENT, NOBODY_ASKS)  # type: ignore[arg-type]
    found, unhealable = (each._value.get() for each in (metrics.gaps_found, metrics.gaps_unhealable))
    for _ in range(2):
        await relay.catch_up(room)
    assert fan_out.delivered == [(5, 6)]
    assert metrics.gaps_found._value.get() == found + 1
    assert metrics.gaps_unhealable._value.get() == unhealable + 1
    relay.on_live(room, _live(10, 9))
    await until(lambda: not relay._tasks, "what is live")
    assert fan_out.delivered == [(5, 6), (6, 10)]


async def test_a_stream_that_has_forgotten_does_not_make_a_room_young() -> None:
    """It says 0 for the one before when it holds none any more; the gateway knows better."""
    assert await _relay(_Stream([]), _room(7), _live(9, 0)) == [(7, 9)]


async def test_what_the_stream_does_not_hold_is_not_waited_for() -> None:
    """It was no message, or is too old: what is newer goes on."""
    assert await _relay(_Stream([3]), _room(3), _live(9, 8)) == [(3, 9)]


async def test_what_is_read_waits_until_it_is_known_who_may_be_here() -> None:
    """As what comes live does: also when the stream of messages answers, and that of revocations does not."""
    fan_out, room, control = _FanOut(), _room(4), Current(is_current=False)
    relay = Relay(fan_out, _Stream([5, 6]), control, NOBODY_ASKS)  # type: ignore[arg-type]
    catching_up = asyncio.ensure_future(relay.catch_up(room))
    with capture_logs() as logs:
        await until(lambda: len(logs) > 2, "it to be tried")
        assert not fan_out.delivered
        control.is_current = True
        await catching_up
    assert [seq for _, seq in fan_out.delivered] == [5, 6]
