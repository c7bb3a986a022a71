"""The bounds of what all rooms keep for those who resume."""

import asyncio
from collections import OrderedDict
from typing import Final

from services.gateway import metrics
from services.gateway.replay import Replay, Stretch
from services.gateway.rooms import Room

_MOST_BYTES: Final = 16 * 1024 * 1024
_SECONDS: Final = 15.0
"""The clients of a gateway that died come back within some seconds of each other."""
_SWEEP_SECONDS: Final = 1.0


class ReplayMemory:
    """Keeps nothing of a room that nobody resumed in for `_SECONDS`, and of all at most `_MOST_BYTES`.

    Above that, what was not used for longest goes: it is in history, and is read again from there.
    """

    def __init__(self) -> None:
        self._stretches: OrderedDict[Stretch, Replay] = OrderedDict()
        """The one not used for longest first."""
        self._replays: dict[Room, Replay] = {}
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        metrics.replay_bytes.set_function(lambda: self._size)

    def of(self, room: Room) -> Replay:
        """What is kept of `room`, and is from now on."""
        loop = asyncio.get_running_loop()
        replay = room.replay
        if replay is None:
            replay = room.replay = self._replays[room] = Replay(self, room.last_seq)
        replay.used_at = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep)
        return replay

    def used(self, stretch: Stretch) -> None:
        """It was of use."""
        self._stretches.move_to_end(stretch)

    def grew(self, replay: Replay, stretch: Stretch, size: int) -> None:
        """See `Keeper`; the newest is kept in any case."""
        if stretch not in self._stretches:
            size = stretch.size
        self._stretches[stretch] = replay
        self._stretches.move_to_end(stretch)
        self._size += size
        while self._size > _MOST_BYTES and len(self._stretches) > 1:
            oldest, owner = self._stretches.popitem(last=False)
            self._size -= oldest.size
            owner.drop(oldest)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for room, replay in list(self._replays.items()):
            if room.resuming or replay.reading is not None:
                replay.used_at = loop.time()
            elif loop.time() - replay.used_at > _SECONDS:
                self._forget(room, replay)
        self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._replays else None

    def _forget(self, room: Room, replay: Replay) -> None:
        room.replay = None
        del self._replays[room]
        for each in replay.stretches:
            if self._stretches.pop(each, None) is not None:
                self._size -= each.size
