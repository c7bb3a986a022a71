"""A WebSocket of a stranger: packets and frames as they please, and what came of them in a few words."""

import itertools
import json
import re
from typing import Any, Final

from tests.abuse.line import SECONDS, Line
from tests.conformance.raw import CLOSE, PING, PONG, TEXT, frame

_ASKED: Final = re.compile(r"42(\d{1,10})\[")
_TOLD: Final = re.compile(r"4([2-4])([^\[{]*)(.*)", re.DOTALL)
_PROBES: Final = itertools.count(900_000_000)


class Socket:
    """`line` has become a WebSocket."""

    def __init__(self, line: Line, sid: str) -> None:
        self.line = line
        self.sid = sid
        """Of its Engine.IO session."""
        self.events: list[list[Any]] = []
        """Name and payload of each that came."""
        self.acks: dict[str, Any] = {}
        self.pongs = 0
        """Frames that answer those of the WebSocket protocol."""
        self._asked: list[str] = []
        self._words: list[str] = []

    def send(self, packet: str | bytes) -> None:
        """Send an Engine.IO packet as text; bytes are sent as they are."""
        if isinstance(packet, bytes):
            self.line.send(packet)
            return
        if (asked := _ASKED.match(packet)) is not None:
            self._asked.append(asked[1])
        self.line.send(frame(TEXT, packet.encode(errors="surrogatepass")))

    def ask(self, event: str, payload: Any) -> str:
        """Send an event; the id of the acknowledgement."""
        number = str(next(_PROBES))
        self.send(f"42{number}{json.dumps([event, payload])}")
        return number

    async def call(self, event: str, payload: Any) -> Any:
        """The acknowledgement of an event."""
        return await self.acknowledged(self.ask(event, payload))

    async def acknowledged(self, number: str) -> Any:
        """The acknowledgement of what was asked with this id."""
        self._asked.remove(number)
        while number not in self.acks:
            await self._receive()
        return self.acks.pop(number)

    async def hears(self, event: str) -> Any:
        """Wait for an event; the payload of the newest."""
        while not any(each[0] == event for each in self.events):
            await self._receive()
        return next(each[1] for each in reversed(self.events) if each[0] == event)

    async def outcome(self) -> str:
        """What came of all that was sent: of each event that nobody waited for, then of the connection.

        "ok" or the code of each acknowledgement; "refused <code>"; and "open", if the connection can still be used,
        "closed <code>", "ended" without a close frame, or "silent".
        """
        probe = self.ask("leave", {"room": "anywhere"})
        while not all(each in self.acks for each in self._asked):
            if not await self._next():
                break
        else:
            self._words.append("open")
        self.acks.pop(probe, None)
        return ", ".join([*self.answers, *self._words])

    @property
    def answers(self) -> list[str]:
        """What events were acknowledged with, in a word each."""
        return [_said(each) for each in self.acks.values()]

    async def end(self) -> str:
        """What came until the connection was over, as `outcome` tells it."""
        while await self._next():
            pass
        return ", ".join(self._words)

    async def verdict(self) -> str:
        """What came until one was let in, refused or closed."""
        while not self._words and not self.events and await self._next():
            pass
        return ", ".join(self._words) or "let in"

    async def _next(self) -> bool:
        """Whether the connection goes on behind the next frame."""
        try:
            return await self._receive()
        except EOFError:
            self._words.append("ended")
        except TimeoutError:
            self._words.append(f"silent for {SECONDS:g} s")
        return False

    async def _receive(self) -> bool:
        opcode, payload = await self.line.frame()
        if opcode == CLOSE:
            self._words.append(f"closed {int.from_bytes(payload[:2], 'big')}")
            return False
        if opcode == PONG:
            self.pongs += 1
        elif opcode == TEXT:
            self._understand(payload.decode())
        elif opcode == PING:
            raise AssertionError("a server has no reason for a ping of the WebSocket protocol")
        return True

    def _understand(self, packet: str) -> None:
        told = _TOLD.fullmatch(packet)
        if told is None:
            return
        kind, head, text = told.groups()
        value = json.loads(text)
        if kind == "2":
            self.events.append(value)
        elif kind == "3":
            self.acks[head] = value[0]
        else:
            self._words.append(" ".join(["refused", *filter(None, [value.get("data", {}).get("code")])]))


def _said(ack: Any) -> str:
    return "ok" if ack["ok"] else str(ack["error"]["code"])
