"""What was said in a room while a client was away: each part is read once, for all who resume there."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway import metrics
from services.gateway.pushes import event
from services.gateway.replay import PAGE_MOST, Packet, Replay, Stretch
from services.gateway.replay_memory import ReplayMemory
from services.gateway.rooms import Room
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page, StoredMessage

_READS_AT_ONCE: Final = 16
"""By this gateway; the others wait in their order. A client that reads slowly holds none meanwhile."""
_WITHOUT_HISTORY_SECONDS: Final = 2.0
"""Whoever finds that history does not answer may have waited for seconds; others need not for a while."""
_STREAM_MOST_BYTES: Final = 2 * 1024 * 1024


class Missed:
    """Reads pages of history, and the stream while history does not answer.

    Every method raises `ParleyError` (unavailable) if neither has it. What was read, and all that is delivered from
    the first call for a room on, is kept for a while in `memory`.
    """

    def __init__(self, history: Caller[Page], stream: MessageStream, memory: ReplayMemory) -> None:
        self._history = history
        self._stream = stream
        self._memory = memory
        self._slots = asyncio.Semaphore(_READS_AT_ONCE)
        self._without_history_until = 0.0

    def keep(self, room: Room) -> None:
        """Keep what is delivered in `room` from now on: for a while, and for as long as somebody resumes there."""
        self._memory.of(room)

    async def begin(self, room: Room, after: int, most: int) -> int:
        """The seq behind which there are `most` messages until now; `after`, if there are no more behind that."""
        upto, wanted = room.last_seq, most + 1
        while upto > after:
            read = partial(self._read_before, room, after, upto, wanted)
            stretch = await self._holding(room, upto, read)
            seqs = [seq for seq, _ in stretch.behind(after) if seq <= upto]
            if len(seqs) >= wanted:
                return seqs[-wanted]
            wanted -= len(seqs)
            upto = stretch.after
        return after

    async def behind(self, room: Room, seq: int) -> tuple[list[Packet], int]:
        """The next messages behind `seq`, which is below the last one, and up to where that is all."""
        stretch = await self._holding(room, seq + 1, partial(self._read_behind, room, seq))
        return stretch.behind(seq), stretch.upto

    async def _holding(self, room: Room, seq: int, read: Callable[[Replay], Coroutine[Any, Any, None]]) -> Stretch:
        """The stretch that says what is at `seq`; made by `read` if there is none, for all who need it."""
        replay = self._memory.of(room)
        is_shared = True
        while (stretch := replay.holding(seq)) is None:
            if replay.reading is None:
                is_shared = False
                replay.reading = asyncio.create_task(_one(replay, read))
                replay.reading.add_done_callback(_told)
            # Whoever goes must not take the others' with them.
            await asyncio.shield(replay.reading)
        self._memory.used(stretch)
        if is_shared:
            metrics.resume_reads["memory",] += 1
        return stretch

    async def _read_before(self, room: Room, after: int, upto: int, wanted: int, replay: Replay) -> None:
        """Keep the newest page of ``after < seq <= upto``, or of what is missing of that."""
        after = max(after, replay.gap(upto)[0])
        page = await self._page(replay, GetPage(room=room.name, after=after, before=upto + 1, limit=wanted), upto)
        begins = page.messages[0].prev if page.more else after
        replay.insert(Stretch(begins, upto, _packets(page.messages)))

    async def _read_behind(self, room: Room, after: int, replay: Replay) -> None:
        """Keep the oldest page behind `after`."""
        _, upto = replay.gap(after + 1)
        page = await self._page(replay, GetPage(room=room.name, after=after, limit=PAGE_MOST), upto)
        messages = [each for each in page.messages if each.seq <= upto]
        if page.more and len(messages) == len(page.messages):
            upto = messages[-1].seq
        replay.insert(Stretch(after, upto, _packets(messages)))

    async def _page(self, replay: Replay, request: GetPage, upto: int) -> Page:
        async with self._slots:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._without_history_until:
                try:
                    return await self._from_history(replay, request)
                except ParleyError as error:
                    if error.code is not ErrorCode.UNAVAILABLE:
                        raise
                    self._without_history_until = loop.time() + _WITHOUT_HISTORY_SECONDS
            return await self._from_stream(request, upto)

    async def _from_history(self, replay: Replay, request: GetPage) -> Page:
        limit = min(request.limit, replay.fit)
        metrics.resume_reads["history",] += 1
        wanted = GetPage(room=request.room, after=request.after, before=request.before, limit=limit)
        page = await self._history(wanted)
        if page.more:
            replay.fit = min(PAGE_MOST, 2 * len(page.messages))
        return page

    async def _from_stream(self, request: GetPage, upto: int) -> Page:
        """All of ``after < seq <= upto``, at one round trip a message; so it must not be much."""
        room, after = request.room, request.after or 0
        metrics.resume_reads["stream",] += 1
        # It forgets the oldest first: if it holds that one, it holds all behind it.
        if not await self._stream.holds(room, after):
            raise _unavailable()
        messages: list[StoredMessage] = []
        size, prev = 0, after
        async for seq, message, _ in self._stream.between(room, after, upto):
            size += len(message.body) + len(bytes(message.data))
            if len(messages) == PAGE_MOST or size > _STREAM_MOST_BYTES:
                raise _unavailable()
            messages.append(StoredMessage.of(message, room=room, seq=seq, prev=prev))
            prev = seq
        return Page(messages=messages, more=False)


async def _one(replay: Replay, read: Callable[[Replay], Coroutine[Any, Any, None]]) -> None:
    try:
        await read(replay)
    finally:
        # Not in a callback: whoever looked before it ran would await what is done, for ever, and not let it run.
        replay.reading = None


def _told(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()  # to those who wait, who may have gone


def _packets(messages: list[StoredMessage]) -> list[Packet]:
    return [(each.seq, event("message", each)) for each in messages]


def _unavailable() -> ParleyError:
    return ParleyError(ErrorCode.UNAVAILABLE, "history does not answer", retry_after=2)
