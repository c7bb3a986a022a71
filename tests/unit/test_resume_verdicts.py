"""What becomes of a join that asks for what was missed is counted, once, whatever it is."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

import pytest

from services.gateway import metrics
from services.gateway.joining import Joining
from services.gateway.requests import Join
from services.gateway.rooms import Room
from tests.support.edge import connection
from wire.errors import ErrorCode, ParleyError

LAST: Final = 9


class _World:
    """A room with `LAST` messages, and a `Resuming` that does as it is told."""

    def __init__(self, outcome: Callable[[], tuple[int, bool]]) -> None:
        self._outcome = outcome
        self.room = Room("r")
        self.room.last_seq = LAST

    def opened(self, _name: str) -> Room:
        """See `Rooms`."""
        return self.room

    async def hold(self, _name: str) -> Room:
        """See `Rooms`."""
        return self.room

    def release(self, _room: Room) -> None:
        """See `Rooms`."""

    def enter(self, _room: Room, _connection: Any) -> None:
        """See `Rooms`."""

    async def tell_missed(self, *_: object) -> tuple[int, bool]:
        """See `Resuming`."""
        return self._outcome()


def _raising(error: BaseException) -> Callable[[], tuple[int, bool]]:
    def outcome() -> tuple[int, bool]:
        raise error

    return outcome


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (lambda: (3, False), "complete"),
        (lambda: (500, True), "truncated"),
        (_raising(ParleyError(ErrorCode.UNAVAILABLE, "x")), "unavailable"),
        (_raising(ParleyError(ErrorCode.NOT_JOINED, "x")), "gone"),
        (_raising(ParleyError(ErrorCode.FORBIDDEN, "x")), "refused"),
        (_raising(asyncio.CancelledError()), "refused"),
        (_raising(RuntimeError()), "failed"),
    ],
)
async def test_a_resume_has_one_verdict(outcome: Callable[[], tuple[int, bool]], verdict: str) -> None:
    """And a join that asks for nothing has none."""
    world: Any = _World(outcome)
    joining = Joining(mock.Mock(), world, mock.Mock(), world)
    before = dict(metrics.resumes)
    await joining.join(connection()[0], Join(room="r"))
    assert metrics.resumes == before
    try:
        await joining.join(connection()[0], Join(room="r", after=LAST - 3))
    except (ParleyError, RuntimeError, asyncio.CancelledError):
        assert verdict not in {"complete", "truncated"}
    assert metrics.resumes == before | {(verdict,): before[verdict,] + 1}


def test_whoever_missed_nothing_has_all() -> None:
    """Without waiting; nor does whoever asks for nothing count."""
    world: Any = _World(lambda: (0, False))
    joining = Joining(mock.Mock(), world, mock.Mock(), world)
    before = metrics.resumes["complete",]
    assert joining.join_at_once(connection()[0], Join(room="r")) is not None
    assert joining.join_at_once(connection()[0], Join(room="r", after=LAST - 1)) is None
    assert metrics.resumes["complete",] == before
    assert joining.join_at_once(connection()[0], Join(room="r", after=LAST)) is not None
    assert metrics.resumes["complete",] == before + 1
