"""What is kept for those who resume: bounded in bytes and in time, and never with a hole that it does not know of."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.stream import Entry
from services.gateway import missed as missed_module
from services.gateway import replay as replay_module
from services.gateway import replay_memory
from services.gateway.missed import Missed
from services.gateway.replay import Replay, Stretch
from services.gateway.replay_memory import ReplayMemory
from services.gateway.rooms import Room
from tests.support.waiting import until
from wire.messages import GetPage, Page

PACKET: Final = b"x" * 1000


class _Unbounded:
    def grew(self, replay: Replay, stretch: Stretch, size: int) -> None:
        """See `Keeper`."""


def test_a_stretch_that_is_let_go_is_a_gap_and_nothing_else() -> None:
    """Also the one that grows: what comes after it is kept again."""
    replay = Replay(_Unbounded(), 10)
    replay.add(12, PACKET)
    replay.insert(Stretch(3, 8, [(8, PACKET)]))
    assert replay.gap(9) == (8, 10)
    live = replay.holding(12)
    assert live is not None
    replay.drop(live)
    replay.add(15, PACKET)
    assert replay.holding(12) is None
    assert (replay.gap(12), replay.gap(2)) == ((8, 12), (0, 3))
    assert [replay.holding(seq) is None for seq in (3, 4, 8, 9, 13, 15)] == [True, False, False, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=60))
def test_what_is_kept_is_bounded_and_counted(steps: list[tuple[int, int]]) -> None:
    """Rooms that grow at once share one bound, and the size is that of what is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_memory, "_MOST_BYTES", 10_000)
        patch.setattr(replay_module, "_LIVE_BYTES", 2_000)
        memory = ReplayMemory()
        replays = [Replay(memory, 0) for _ in range(3)]
        for number, (which, size) in enumerate(steps, start=1):
            replays[which].add(number, PACKET * size)
            kept = [each for replay in replays for each in replay.stretches if each.packets]
            assert memory._size == sum(each.size for each in kept) <= 10_000
            assert set(memory._stretches) == set(kept)


@pytest.fixture
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_memory, "_SECONDS", 0.05)
    monkeypatch.setattr(replay_memory, "_SWEEP_SECONDS", 0.01)


@pytest.mark.usefixtures("_brief")
async def test_nothing_is_kept_of_a_room_that_nobody_resumes_in_any_more() -> None:
    """As long as somebody does, all that comes is; some time later the room costs nothing."""
    memory, room = ReplayMemory(), Room("r")
    resuming: Any = object()
    room.resuming.add(resuming)
    replay = memory.of(room)
    replay.add(1, PACKET)
    since = asyncio.get_running_loop().time()
    await until(lambda: replay.used_at > since + 0.1, "some time to pass")
    assert room.replay is replay
    room.resuming.discard(resuming)
    await until(lambda: room.replay is None, "the room to be forgotten")
    assert (memory._size, memory._stretches, memory._timer) == (0, {}, None)


async def test_pages_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rooms are resumed in, there is no more in memory than a few pages; and each room gets its turn."""
    at_once, most, go = 0, 0, asyncio.Event()

    async def history(request: GetPage) -> Page:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await go.wait()
        at_once -= 1
        assert request.after == 3
        return Page(messages=[], more=False)

    class NoStream:
        async def between(self, *_: Any) -> AsyncIterator[Entry]:
            raise AssertionError
            yield

    monkeypatch.setattr(missed_module, "_READS_AT_ONCE", 4)
    missed = Missed(history, NoStream(), ReplayMemory())  # type: ignore[arg-type]
    rooms = [Room(f"r{number}") for number in range(20)]
    for each in rooms:
        each.last_seq = 9
    begins = asyncio.gather(*(missed.begin(each, 3, 500) for each in rooms))
    await until(lambda: most == 4, "as many as may be")
    go.set()
    assert await begins == [3] * 20
    assert most == 4
