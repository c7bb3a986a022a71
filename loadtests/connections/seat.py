"""One user: in one room, across connections, which come back by themselves as an official client's do."""

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec

from checker.account import Stay
from loadtests import kinds
from loadtests.connections.book import Book, Heard, Sent
from loadtests.connections.line import QUIET_SECONDS, Line
from loadtests.connections.target import Target, code_of
from loadtests.light.connection import ClientError

UNDER_WAY_MOST: Final = 20_000
"""Of a process: messages that are not acknowledged."""
NOT_SENT: Final = "too many under way"
_CONNECT_SECONDS: Final = 20.0
"""Official clients' `timeout`."""
_ANSWER_SECONDS: Final = 15.0
_ATTEMPTS: Final = 3
_AGAIN_SECONDS: Final = 0.5
_FIRST_DELAY_SECONDS: Final = 1.0
_LONGEST_DELAY_SECONDS: Final = 5.0
_JITTER: Final = 0.5
"""Official clients' `reconnectionDelay`, `reconnectionDelayMax` and `randomizationFactor`."""


class _Error(msgspec.Struct):
    code: str


class _Ack(msgspec.Struct):
    ok: bool
    seq: int = 0
    truncated: bool = False
    error: _Error | None = None

    @property
    def code(self) -> str:
        return self.error.code if self.error is not None else "no code"


class _Said:
    """A message that is not acknowledged."""

    __slots__ = ("alone", "asked", "attempts", "due", "id", "payload")

    def __init__(self, id: str, payload: bytes, due: float, *, alone: bool) -> None:
        self.id = id
        self.payload = payload
        self.due = due
        self.alone = alone
        self.attempts = 0
        self.asked: float | None = None
        """When it was sent last, over the connection that there is."""


_acks: Final = msgspec.json.Decoder(_Ack)
_encode: Final = msgspec.json.Encoder().encode


class Seat:
    """Nothing is connected until `come`. `name` is unique in the run."""

    __slots__ = (
        "_again", "_asked", "_book", "_delay", "_leaving", "_line", "_lost_at", "_opening", "_said", "_sent", "_stay",
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
        self._said: dict[str, _Said] = {}
        self._sent = 0
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

    def say(self, due: float) -> None:
        """Send a message now, or as soon as there is a connection; it was due at `due`."""
        if self._book.under_way >= UNDER_WAY_MOST:
            self._book.failed(kinds.MESSAGE, NOT_SENT)
            return
        self._sent += 1
        id = f"{self.name}-{self._sent}"
        data = Sent(due, self._book.host)
        payload = _encode({"room": self.room, "id": id, "body": f"message {id}", "data": data})
        said = self._said[id] = _Said(id, payload, due, alone=not self._said)
        self._book.under_way += 1
        self._book.ledger.sending(id)
        if self.is_in:
            self._send(said)

    def look(self, now: float) -> None:
        """Give up what has been waited for too long; to be called every second."""
        if self._line is None:
            return
        self._line.quiet += 1
        if self._line.quiet > QUIET_SECONDS:
            self._line.close()
        if self._asked is not None and now - self._asked > _ANSWER_SECONDS:
            self._failed_to_join(kinds.TIMEOUT)
        if self._said:
            for said in tuple(self._said.values()):
                if said.asked is not None and now - said.asked > _ANSWER_SECONDS:
                    self._failed_to_say(said, kinds.TIMEOUT)

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
        for said in self._said.values():
            said.asked = None  # its outcome is unknown: it is sent again over the next connection
        self._book.dropped()
        self._come_again()

    # --- room -------------------------------------------------------------------------------------------------------

    def _join(self, line: Line) -> None:
        after = self._stay.position if self._stay is not None else None
        stay = self._stay = self._book.ledger.arrives(self.name, self.room, after)
        self._asked = now = time.monotonic()
        payload: dict[str, Any] = {"room": self.room} if after is None else {"room": self.room, "after": after}
        line.emit("join", _encode(payload), self._on(line, partial(self._joined, stay, now)))

    def _joined(self, stay: Stay, asked: float, ack: _Ack) -> None:
        if not ack.ok:
            self._failed_to_join(ack.code)
            return
        now = time.monotonic()
        self._asked = None
        self._book.took(kinds.JOIN if stay.after is None else kinds.RESUME, now - asked, now)
        self._book.ledger.joined(stay, ack.seq, truncated=ack.truncated)
        self.is_in = True
        if self._lost_at is not None:
            self._book.took(kinds.RECONNECT, now - self._lost_at, now)
            self._lost_at = None
        for said in tuple(self._said.values()):
            self._send(said)

    def _failed_to_join(self, code: str) -> None:
        self._asked = None
        kind = kinds.JOIN if self._stay is None or self._stay.after is None else kinds.RESUME
        self._book.failed(kind, code)
        if self._line is not None:
            self._line.close()  # in the room or not: a new connection is sure

    def on_message(self, line: Line, message: Heard) -> None:
        """See `line.Holder`."""
        stay = self._stay
        if stay is None or message.room != self.room or line is not self._line:
            stay = self._book.ledger.intrudes(self.name, message.room)  # never asked for: the judge will say so
        self._book.heard(stay, message)

    # --- messages ---------------------------------------------------------------------------------------------------

    def _send(self, said: _Said) -> None:
        line = self._line
        if line is None or said.id not in self._said:
            return
        said.attempts += 1
        said.asked = time.monotonic()
        line.emit("message", said.payload, self._on(line, partial(self._answered, said)))

    def _answered(self, said: _Said, ack: _Ack) -> None:
        if said.id not in self._said:
            return
        if not ack.ok:
            self._failed_to_say(said, ack.code)
            return
        now = time.monotonic()
        self._end(said)
        # Who waits for the answer before they send the next one has them acknowledged in order.
        self._book.ledger.sent(self.room, ack.seq, said.id, self.name if said.alone else "")
        self._book.took(kinds.MESSAGE, now - said.due, now)

    def _failed_to_say(self, said: _Said, code: str) -> None:
        self._book.failed(kinds.MESSAGE, code)
        said.asked = None
        if code in {"unavailable", kinds.TIMEOUT} and said.attempts < _ATTEMPTS:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._send_again, said)
            return
        self._end(said)
        if code in {"unavailable", kinds.TIMEOUT} or said.attempts > 1:
            self._book.ledger.gave_up()  # a later refusal tells nothing about the attempts before it
        else:
            self._book.ledger.refused(said.id)

    def _send_again(self, said: _Said) -> None:
        if self.is_in and said.asked is None:
            self._send(said)

    def _end(self, said: _Said) -> None:
        del self._said[said.id]
        self._book.under_way -= 1

    def _on(self, line: Line, handler: Callable[[_Ack], None]) -> Callable[[bytes], None]:
        def answered(data: bytes) -> None:
            if line is self._line:  # nothing that an earlier connection says counts
                handler(_acks.decode(data))

        return answered
