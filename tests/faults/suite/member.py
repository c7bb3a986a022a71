"""A member: in some rooms, and writing down all they are told there. Behaves as an application does.

Whatever happens to the connection, a member joins again with `after`, and pages back through what a join left out.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from checker.ledger import Ledger
from tests.faults.suite.diary import Diary, place
from tests.faults.suite.line import Line, LostError

_ANSWER_SECONDS: Final = 75.0
"""Above RESUME_SECONDS, and above what a stopped gateway is stopped for."""
_RETRY_SECONDS: Final = (0.1, 0.6)
_AGAIN: Final = {"unavailable", "rate_limited"}


class Member:
    """`complain` is called with what may never happen, and is no matter of the checker's."""

    def __init__(
        self, name: str, rooms: Sequence[str], ledger: Ledger, rng: random.Random, complain: Callable[[str], None]
    ) -> None:
        self.name = name
        self.rooms = rooms
        self.diary = Diary(name, ledger)
        self.line: Line
        self.connects = 0
        self.recoveries = 0
        self.paged_back = 0  # how often it read all that a truncated join had left out
        self.longest_absence = 0.0
        """In seconds, from the loss of its connection until it was in all of its rooms again."""
        self._ledger = ledger
        self._rng = rng
        self._complain = complain
        self._inside: set[str] = set()
        self._left: set[str] = set()
        self._entering: dict[str, asyncio.Event] = {}
        """The rooms that it is joining, and on which connection: see `_lost`."""
        self._lost = asyncio.Event()
        self._lost.set()
        self._absent_since: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def is_inside(self, room: str) -> bool:
        """Whether it is connected and in `room`."""
        return not self._lost.is_set() and room in self._inside

    @property
    def outside(self) -> list[str]:
        """The rooms that it should be in and is not: all but those it left by its own will."""
        return [room for room in self.rooms if not self.is_inside(room) and room not in self._left]

    @property
    def is_busy(self) -> bool:
        """Whether it is joining a room, or paging back."""
        return bool(self._tasks)

    # --- what the connection tells: see `line.Listener` -------------------------------------------------------------

    def connected(self, *, recovered: bool) -> None:
        """See `Listener`."""
        self.connects += 1
        self._lost = asyncio.Event()
        if recovered:
            self.recoveries += 1
            self.diary.recovers(self._inside)
        else:
            self._inside.clear()
        self._start(self._enter_all(self._lost))

    def disconnected(self) -> None:
        """See `Listener`."""
        self._lost.set()
        if self._absent_since is None:
            self._absent_since = time.monotonic()
        self.diary.disconnected()

    def heard(self, event: str, payload: Any) -> None:
        """See `Listener`."""
        if event == "message":
            self.diary.heard(payload)

    # --- what it is asked to do -------------------------------------------------------------------------------------

    async def ask(self, event: str, payload: dict[str, Any], seconds: float) -> dict[str, Any]:
        """As `Line.ask`; a connection that goes away answers nothing, whatever its library makes of it."""
        lost = self._lost
        if lost.is_set():
            raise LostError
        asking = asyncio.ensure_future(self.line.ask(event, payload, seconds=seconds))
        losing = asyncio.ensure_future(lost.wait())
        try:
            await asyncio.wait({asking, losing}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return await asking
            raise LostError
        finally:
            for each in (asking, losing):
                each.cancel()

    async def step_out(self, room: str, seconds: float) -> None:
        """Leave `room` for `seconds`, and come back: nothing may come meanwhile, and nothing be missing after."""
        if room not in self._inside:
            return
        self._inside.discard(room)  # whatever becomes of the question, only a join makes it sure again
        with suppress(LostError):
            ack = await self.ask("leave", {"room": room}, _ANSWER_SECONDS)
            if ack["ok"]:
                self._left.add(room)
                self.diary.leaves(room)
                await asyncio.sleep(seconds)
                self._left.discard(room)
            elif ack["error"]["code"] not in _AGAIN:
                self._complain(f"{self.name}: leaving {room} was answered {ack['error']}")
            await self._enter(room, self._lost)

    async def stop(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.line.stop()

    # --- rooms ------------------------------------------------------------------------------------------------------

    async def _enter_all(self, lost: asyncio.Event) -> None:
        for room in self.rooms:
            if room not in self._inside | self._left:
                await self._enter(room, lost)
        if self._absent_since is not None and not lost.is_set():
            self.longest_absence = max(self.longest_absence, time.monotonic() - self._absent_since)
            self._absent_since = None

    async def _enter(self, room: str, lost: asyncio.Event) -> None:
        """Join, until it works or this connection is lost; if that is not under way already."""
        if self._entering.get(room) is lost:
            return
        self._entering[room] = lost
        try:
            await self._join(room, lost)
        finally:
            if self._entering.get(room) is lost:
                del self._entering[room]

    async def _join(self, room: str, lost: asyncio.Event) -> None:
        self.diary.returns(room)
        while not lost.is_set():
            stay = self.diary.arrives(room)
            after = stay.after
            question = {"room": room} if after is None else {"room": room, "after": after}
            try:
                ack = await self.ask("join", question, _ANSWER_SECONDS)
            except LostError:
                return
            if lost.is_set():
                return
            if ack["ok"]:
                self._ledger.joined(stay, ack["seq"], truncated=ack["truncated"])
                self._inside.add(room)
                if ack["truncated"]:
                    self._start(self._page_back(room, after or 0, stay.after or 0))
                return
            if ack["error"]["code"] not in _AGAIN:
                self._complain(f"{self.name}: joining {room} was answered {ack['error']}")
            await self._pause()

    async def _page_back(self, room: str, after: int, upto: int) -> None:
        """Read what a truncated join left out."""
        stay = self._ledger.pages_back(self.name, room, after, upto)
        while (stay.position or 0) < upto:
            with suppress(LostError):
                question = {"room": room, "after": stay.position, "limit": 200}
                page = await self.ask("history", question, _ANSWER_SECONDS)
                for message in page["messages"] if page["ok"] else []:
                    if message["seq"] <= upto:
                        self._ledger.received(stay, place(message))
                if page["ok"] and not page["more"]:
                    break
            await self._pause()
        self.paged_back += 1

    async def _pause(self) -> None:
        await asyncio.sleep(self._rng.uniform(*_RETRY_SECONDS))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain(f"{self.name}: {error!r}")
