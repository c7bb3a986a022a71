"""How often one user may ask over HTTP."""

import time
from unittest import mock

import pytest

from services.gateway.user_rate import UserRate
from wire.errors import ErrorCode, ParleyError


def test_a_user_may_ask_so_often_and_others_do_not_notice() -> None:
    """A burst, then one each interval, as they are told."""
    now = [1000.0]
    with mock.patch.object(time, "monotonic", side_effect=lambda: now[0]):
        rate = UserRate(2, 5)
        for _ in range(5):
            rate.take("u-ann")
        with pytest.raises(ParleyError) as refused:
            rate.take("u-ann")
        assert refused.value.code is ErrorCode.RATE_LIMITED
        assert refused.value.retry_after == pytest.approx(0.5, abs=0.01)
        rate.take("u-bob")
        now[0] += refused.value.retry_after or 0
        rate.take("u-ann")


def test_users_who_have_asked_are_forgotten() -> None:
    """However many come by, what is kept is those of the last seconds."""
    now = [1000.0]
    with mock.patch.object(time, "monotonic", side_effect=lambda: now[0]):
        rate = UserRate(10, 5)
        for number in range(20_000):
            now[0] += 0.01
            rate.take(f"u-{number}")
        assert len(rate) < 3000


def test_without_a_limit_nothing_is_kept() -> None:
    """0 a second."""
    rate = UserRate(0, 1)
    for _ in range(1000):
        rate.take("u-ann")
    assert not len(rate)
