"""What one user has to say: each message until its outcome is known, across connections."""

import asyncio
import time
from functools import partial
from typing import Final

import msgspec

from loadtests import kinds
from loadtests.connections import acks
from loadtests.connections.book import Book, Sent
from loadtests.connections.line import Line

UNDER_WAY_MOST: Final = 20_000
"""Of a process: messages that are not acknowledged."""
NOT_SENT: Final = "too many under way"
_ATTEMPTS: Final = 3
_AGAIN_SECONDS: Final = 0.5
_UNKNOWN: Final = {"unavailable", "internal", kinds.TIMEOUT}

_encode: Final = msgspec.json.Encoder().encode


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


class Outbox:
    """Of user `name`, who is in `room`. Nothing is sent while it is not open."""

    __slots__ = ("_book", "_count", "_line", "_name", "_room", "_said")

    def __init__(self, name: str, room: str, book: Book) -> None:
        self._name = name
        self._room = room
        self._book = book
        self._line: Line | None = None
        self._said: dict[str, _Said] = {}
        self._count = 0

    def open(self, line: Line) -> None:
        """The user is in the room, on `line`: all that has waited goes out, with the same ids as before."""
        self._line = line
        for said in tuple(self._said.values()):
            self._send(said)

    def cut_off(self) -> None:
        """The line is gone: what was not acknowledged may have been stored, or not."""
        self._line = None
        for said in self._said.values():
            said.asked = None

    def say(self, due: float) -> None:
        """Send a message now, or once it is open; it was due at `due`, from which its time is taken."""
        if self._book.under_way >= UNDER_WAY_MOST:
            self._book.failed(kinds.MESSAGE, NOT_SENT)
            return
        self._count += 1
        id = f"{self._name}-{self._count}"
        data = Sent(due, self._book.host)
        payload = _encode({"room": self._room, "id": id, "body": f"message {id}", "data": data})
        said = self._said[id] = _Said(id, payload, due, alone=not self._said)
        self._book.under_way += 1
        self._book.ledger.sending(id)
        self._send(said)

    def look(self, now: float) -> None:
        """Give up what has been waited for too long."""
        if self._said:
            for said in tuple(self._said.values()):
                if said.asked is not None and now - said.asked > acks.ANSWER_SECONDS:
                    self._failed(said, kinds.TIMEOUT)

    def _send(self, said: _Said) -> None:
        if self._line is None or said.id not in self._said:
            return
        said.attempts += 1
        said.asked = time.monotonic()
        self._line.emit("message", said.payload, partial(self._answered, self._line, said))

    def _answered(self, line: Line, said: _Said, data: bytes) -> None:
        if line is not self._line or said.id not in self._said:
            return
        ack = acks.read(data)
        if not ack.ok:
            self._failed(said, ack.code)
            return
        now = time.monotonic()
        self._end(said)
        # Who waits for the answer before they send the next one has them acknowledged in order.
        self._book.ledger.sent(self._room, ack.seq, said.id, self._name if said.alone else "")
        self._book.took(kinds.MESSAGE, now - said.due, now)

    def _failed(self, said: _Said, code: str) -> None:
        self._book.failed(kinds.MESSAGE, code)
        said.asked = None
        if code in _UNKNOWN and said.attempts < _ATTEMPTS:
            asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._send_again, said)
            return
        self._end(said)
        if code in _UNKNOWN or said.attempts > 1:
            self._book.ledger.gave_up()  # a later refusal tells nothing about the attempts before it
        else:
            self._book.ledger.refused(said.id)

    def _send_again(self, said: _Said) -> None:
        if said.asked is None:  # otherwise it went out already, over a new connection
            self._send(said)

    def _end(self, said: _Said) -> None:
        del self._said[said.id]
        self._book.under_way -= 1
