"""One user: in one room, across connections, which come back by themselves as an official client's do."""

import asyncio
import random
import time
from functools import partial
from typing import Any, Final

import msgspec

from checker.account import Stay
from loadtests import kinds
from loadtests.connections import acks
from loadtests.connections.book import Book, Heard
from loadtests.connections.line import QUIET_SECONDS, Line
from loadtests.connections.outbox import Outbox
from loadtests.connections.target import Target, code_of
from loadtests.light.connection import ClientError

_CONNECT_SECONDS: Final = 20.0
"""Official clients' `timeout`."""
_FIRST_DELAY_SECONDS: Final = 1.0
_LONGEST_DELAY_SECONDS: Final = 5.0
_JITTER: Final = 0.5
"""Official clients' `reconnectionDelay`, `reconnectionDelayMax` and `randomizationFactor`."""

_encode: Final = msgspec.json.Encoder().encode


class Seat:
    """Nothing is connected until `come`. `name` is unique in the run."""

    __slots__ = (
        "_again", "_asked", "_book", "_delay", "_leaving", "_line", "_lost_at", "_opening", "_outbox", "_stay",
        "_target", "_token", "is_in", "name", "room",
    )  # fmt: skip

    def __init__(self, name: str, room: str, token: str, target: Target, book: Book) -> None:
        self.name = name
        self.room = room
        self.is_in = False
        """Whether its join was acknowledged, on the connection that there is."""
        self._book = book
        self._target = target
        self._token = b"40" + _encode({"token": token})
        self._line: Line | None = None
        self._stay: Stay | None = None
        self._outbox = Outbox(name, room, book)
        self._asked: float | None = None
        self._lost_at: float | None = None
        self._delay = _FIRST_DELAY_SECONDS
        self._opening: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None
        self._leaving = False

    def come(self) -> None:
        """Connect, and join; again and again until that is done."""
        self._opening = asyncio.get_running_loop().create_task(self._come())

    def leave(self) -> None:
        """Hang up, for good."""
        self._leaving = True
        for each in (self._opening, self._again):
            if each is not None:
                each.cancel()
        if self._line is not None:
            self._line.close()

    @property
    def is_away(self) -> bool:
        """Whether it lost a connection, and is not back in its room."""
        return self._lost_at is not None

    def say(self, due: float) -> None:
        """See `Outbox`."""
        self._outbox.say(due)

    def look(self, now: float) -> None:
        """Give up what has been waited for too long; to be called every second."""
        if self._line is None:
            return
        self._line.quiet += 1
        if self._line.quiet > QUIET_SECONDS:
            self._line.abort()
        if self._asked is not None and now - self._asked > acks.ANSWER_SECONDS:
            self._failed_to_join(kinds.TIMEOUT)
        self._outbox.look(now)

    # --- connection -------------------------------------------------------------------------------------------------

    async def _come(self) -> None:
        began = time.monotonic()
        line = Line(self._target.request, self._token, self)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._target.open(line)
                gateway = await line.is_in()
        except (OSError, ClientError) as error:
            line.close()
            self._book.failed(kinds.CONNECT, code_of(error))
            self._come_again()
            return
        except BaseException:
            line.close()
            raise
        now = time.monotonic()
        self._book.took(kinds.CONNECT, now - began, now)
        self._book.greeted[gateway] += 1
        self._delay = _FIRST_DELAY_SECONDS
        if not line.lost:  # otherwise it comes again already
            self._line = line
            self._join(line)

    def _come_again(self) -> None:
        if self._leaving:
            return
        delay = self._delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - as official clients do
        self._delay = min(2 * self._delay, _LONGEST_DELAY_SECONDS)
        if self._again is not None:
            self._again.cancel()  # never two at a time
        self._again = asyncio.get_running_loop().call_later(delay, self.come)

    def on_lost(self, line: Line) -> None:
        """See `line.Holder`. A line that never greeted fails where it is waited for."""
        if not line.is_greeted or self._leaving:
            return
        if self.is_in or self._lost_at is None:
            self._lost_at = time.monotonic()
        self.is_in = False
        self._asked = None
        self._line = None
        if self._stay is not None:
            self._book.ledger.cut_off(self._stay)
        self._outbox.cut_off()
        self._book.dropped()
        self._come_again()

    # --- room -------------------------------------------------------------------------------------------------------

    def _join(self, line: Line) -> None:
        after = self._book.ledger.position(self._stay) if self._stay is not None else None
        stay = self._stay = self._book.ledger.arrives(self.name, self.room, after)
        self._asked = now = time.monotonic()
        payload: dict[str, Any] = {"room": self.room} if after is None else {"room": self.room, "after": after}
        line.emit("join", _encode(payload), partial(self._joined, line, stay, now))

    def _joined(self, line: Line, stay: Stay, asked: float, data: bytes) -> None:
        if line is not self._line:
            return
        ack = acks.read(data)
        if not ack.ok:
            self._failed_to_join(ack.code)
            return
        now = time.monotonic()
        self._asked = None
        self._book.took(kinds.JOIN if stay.after is None else kinds.RESUME, now - asked, now)
        self._book.ledger.joined(stay, ack.seq, truncated=ack.truncated)
        if ack.truncated:
            self._book.timeline.count(kinds.TRUNCATED, time.time())
        self.is_in = True
        if self._lost_at is not None:
            self._book.took(kinds.RECONNECT, now - self._lost_at, now)
            self._lost_at = None
        self._outbox.open(line)

    def _failed_to_join(self, code: str) -> None:
        self._asked = None
        kind = kinds.JOIN if self._stay is None or self._stay.after is None else kinds.RESUME
        self._book.failed(kind, code)
        if self._line is not None:
            self._line.abort()  # in the room or not: a new connection is sure

    def on_message(self, line: Line, message: Heard) -> None:
        """See `line.Holder`."""
        stay = self._stay
        if stay is None or message.room != self.room or line is not self._line:
            stay = self._book.ledger.intrudes(self.name, message.room)  # never asked for: the judge will say so
        self._book.heard(stay, message)
