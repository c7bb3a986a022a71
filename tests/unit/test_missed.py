"""Reads of what was missed, which all who need them share."""

import asyncio
from typing import Any

import pytest

from services.gateway.missed import Missed
from services.gateway.replay import Replay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.rooms import Room
from tests.support.waiting import until
from wire.messages import Author, GetPage, Page, StoredMessage


def _message(seq: int) -> StoredMessage:
    author = Author(id="u", display_name="U")
    return StoredMessage(room="r", seq=seq, prev=seq - 1, id=f"m{seq}", author=author, body="x", ts=0)


async def test_who_comes_in_the_turn_in_which_a_read_ends_waits_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """To go on with one that has ended would be a loop that never lets the gateway do anything else."""
    asked: list[asyncio.Future[Page]] = []

    async def history(_request: GetPage) -> Page:
        asked.append(asyncio.get_running_loop().create_future())
        return await asked[-1]

    looked, holding = 0, Replay.holding

    def counted(replay: Replay, seq: int) -> Any:
        nonlocal looked
        looked += 1
        assert looked < 100, "it looks for ever"
        return holding(replay, seq)

    monkeypatch.setattr(Replay, "holding", counted)
    room = Room("r")
    room.last_seq = 4
    memory = ReplayMemory()
    missed = Missed(history, None, memory)  # type: ignore[arg-type] # history answers: the stream is not asked
    first = asyncio.ensure_future(missed.behind(room, 0))
    await until(lambda: len(asked) == 1, "the first read to begin")
    asked[0].set_result(Page(messages=[_message(1), _message(2)], more=True))
    second = asyncio.ensure_future(missed.behind(room, 2))
    await until(lambda: len(asked) == 2 or second.done(), "the second read to begin")
    assert not second.done()
    asked[1].set_result(Page(messages=[_message(3), _message(4)], more=False))
    assert [seq for seq, _ in (await first)[0]] == [1, 2]
    assert [seq for seq, _ in (await second)[0]] == [3, 4]
