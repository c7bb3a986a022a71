"""What was lost on its way to a room in which nothing follows: no hole shows it, so the stream is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.relay import Relay
from services.gateway.rooms import Room, Rooms
from wire.errors import ParleyError

_CHECKS_AT_ONCE: Final = 16
_NO_ROOMS_SECONDS: Final = 1.0
_TOGETHER_SECONDS: Final = 0.1
"""Those that are due within it are asked about together, for a fifth of what each would cost alone."""

log = structlog.get_logger()


class QuietRooms:
    """Visits every open room once in `period` seconds, evenly, and asks about those that heard nothing since.

    So what was lost is found within about two periods.
    """

    def __init__(self, rooms: Rooms, relay: Relay, stream: MessageStream, *, period: float) -> None:
        self._rooms = rooms
        self._relay = relay
        self._stream = stream
        self._period = period
        self._slots = asyncio.Semaphore(_CHECKS_AT_ONCE)
        self._checks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Do so while the block runs."""
        watching = asyncio.create_task(self._watch())
        watching.add_done_callback(_log_failure)
        try:
            yield
        finally:
            tasks = {watching, *self._checks}
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)

    async def _watch(self) -> None:
        heard: dict[Room, int] = {}
        loop = asyncio.get_running_loop()
        while True:
            rooms = self._rooms.open_rooms()
            before, heard = heard, {}
            began = loop.time()
            for number, room in enumerate(rooms, start=1):
                if (early := began + self._period * number / len(rooms) - loop.time()) > 0:
                    await asyncio.sleep(max(early, _TOGETHER_SECONDS))
                heard[room] = room.last_seq
                if before.get(room, room.last_seq) == room.last_seq:
                    await self._begin_check(room)
            if not rooms:
                await asyncio.sleep(min(self._period, _NO_ROOMS_SECONDS))

    async def _begin_check(self, room: Room) -> None:
        await self._slots.acquire()
        task = asyncio.create_task(self._check(room))
        self._checks.add(task)
        task.add_done_callback(self._checked)

    def _checked(self, task: asyncio.Task[None]) -> None:
        self._checks.discard(task)
        self._slots.release()
        _log_failure(task)

    async def _check(self, room: Room) -> None:
        if room.subscription is None or room.lock.locked():
            return  # it was closed, or is being caught up with
        try:
            last = await self._stream.last_seq(room.name)
        except ParleyError:
            metrics.quiet_checks["unavailable",] += 1
            return
        if last <= max(room.last_seq, room.filled_upto):
            metrics.quiet_checks["ok",] += 1
        else:
            metrics.quiet_checks["behind",] += 1
            await self._relay.catch_up(room)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("checking quiet rooms failed", exc_info=error)
