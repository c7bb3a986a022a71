"""Letting clients in: a bounded number at once, in their order; and so many of each user."""

import asyncio

import pytest

from services.gateway import admission as admissions
from services.gateway.admission import Admission
from wire.errors import ErrorCode, ParleyError


async def test_a_storm_is_asked_about_a_few_at_a_time() -> None:
    """In the order in which they came; whoever fails, or is gone, gives the turn on."""
    admission = Admission(at_once=3, per_user=0)
    there, most, done = 0, 0, []

    async def verify(number: int) -> None:
        nonlocal there, most
        async with admission.turn():
            there += 1
            most = max(most, there)
            await asyncio.sleep(0)
            there -= 1
            done.append(number)
            if number % 3 == 0:
                raise ParleyError(ErrorCode.UNAUTHORIZED, "no")

    tasks = [asyncio.ensure_future(verify(number)) for number in range(100)]
    await asyncio.sleep(0)
    for each in tasks[50:60]:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    assert done == [*range(50), *range(60, 100)]


async def test_whoever_has_no_turn_in_time_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unavailable; whoever has a turn keeps it."""
    monkeypatch.setattr(admissions, "_TURN_SECONDS", 0.05)
    admission = Admission(at_once=1, per_user=0)
    async with admission.turn():
        with pytest.raises(ParleyError) as caught:
            await admission.turn().__aenter__()
        assert caught.value.code is ErrorCode.UNAVAILABLE
        assert caught.value.retry_after is not None
    async with admission.turn():
        pass


def test_a_user_has_so_many() -> None:
    """Others are not concerned, and nobody who has left is remembered."""
    admission = Admission(at_once=1, per_user=2)
    admission.enter("u-1")
    admission.enter("u-1")
    with pytest.raises(ParleyError, match="too many connections of this user") as caught:
        admission.enter("u-1")
    assert caught.value.code is ErrorCode.RATE_LIMITED
    admission.enter("u-2")
    admission.leave("u-1")
    admission.enter("u-1")
    for user in ("u-1", "u-1", "u-2"):
        admission.leave(user)
    assert not admission.users


def test_0_is_any_number() -> None:
    """Counted all the same."""
    admission = Admission(at_once=1, per_user=0)
    for _ in range(1000):
        admission.enter("u-1")
    assert admission.users == {"u-1": 1000}
