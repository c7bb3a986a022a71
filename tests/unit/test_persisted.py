"""When MongoDB has everything, by what the consumer and the stream's leader say."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from nats.js.api import ConsumerInfo

from runtime.bus import Bus
from services.history import persisted
from wire.errors import ParleyError


class _Bus:
    """A consumer that says `floor` and `pending`, and a leader whose next message is `held`."""

    def __init__(self, floor: int, pending: int, held: int | None, error: int) -> None:
        self._floor, self._pending, self._held, self._error = floor, pending, held, error
        self.jetstream = self

    async def consumer_info(self, stream: str, name: str) -> ConsumerInfo:
        said = {"created": "2026-11-28T13:00:00Z", "num_pending": self._pending, "config": {}}
        floor = {"consumer_seq": 1, "stream_seq": self._floor}
        info: ConsumerInfo = ConsumerInfo.from_response(
            {"name": name, "stream_name": stream, "ack_floor": floor, **said}
        )
        return info

    async def request(self, subject: str, data: bytes, timeout: float) -> Any:
        assert subject == "$JS.API.STREAM.MSG.GET.MESSAGES"
        assert msgspec.json.decode(data) == {"seq": self._floor + 1, "next_by_subj": ">"}
        assert timeout
        answer = {"message": {"seq": self._held}} if self._held else {"error": {"err_code": self._error}}
        return SimpleNamespace(data=msgspec.json.encode(answer))


def _lacking(floor: int, pending: int = 0, held: int | None = None, error: int = 10037) -> str:
    bus = cast("Bus", _Bus(floor, pending, held, error))
    return asyncio.run(persisted._lacking(bus, 100))


@pytest.mark.parametrize(
    ("floor", "pending", "held"),
    [(100, 0, None), (130, 5, 131), (99, 0, None), (99, 0, 101)],
    ids=["all", "more came since", "the last was removed", "the last was removed, more came"],
)
def test_everything_is_there(floor: int, pending: int, held: int | None) -> None:
    """Whatever was acknowledged when it was asked for: up to 100."""
    assert _lacking(floor, pending, held) == ""


def test_what_waits_is_not() -> None:
    """As the consumer says."""
    assert _lacking(90, pending=7, held=91) == "7 messages are not in MongoDB yet"


def test_a_consumer_that_does_not_know_of_them_yet_is_not_believed() -> None:
    """It is on another server than the stream's leader, whose messages reach it later: nothing waits, as it says."""
    assert _lacking(90, held=91) == "some messages are not in MongoDB yet"


def test_a_stream_that_is_gone_says_nothing_of_its_messages() -> None:
    """Only that a message is not there does."""
    with pytest.raises(ParleyError):
        _lacking(90, error=10059)
