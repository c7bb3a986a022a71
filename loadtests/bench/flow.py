"""A closed loop: so many messages are in flight, and the next one goes when every member has got one of them."""

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from loadtests.bench.audience import Audience
from loadtests.bench.frames import MARK
from loadtests.bench.talker import Talker
from loadtests.light.connection import ClientError

BODY_BYTES: Final = 64
_DRAIN_SECONDS: Final = 90.0
_ids: Final = itertools.count(1)


class Speech(Protocol):
    """How a message is said in a room."""

    def say(self, audience: Audience) -> None:
        """Send one message; does not wait."""


def body(text: str = "") -> str:
    """A message's body: `text`, the mark that is counted, and padding."""
    return f"{text}{MARK.decode()}".ljust(BODY_BYTES, ".")


class Speakers:
    """The members of rooms that speak, each in turn. Every message must be acknowledged with ok."""

    def __init__(self, rooms: Mapping[Audience, Sequence[Talker]]) -> None:
        self._turns = {audience: itertools.cycle(talkers) for audience, talkers in rooms.items()}
        self.acknowledged = 0
        self.failure = ""

    def say(self, audience: Audience, text: str = "") -> None:
        """See `Speech`."""
        payload = b'{"room":"%s","id":"m%d","body":"%s"}' % (
            audience.room.encode(),
            next(_ids),
            body(text).encode(),
        )
        audience.say()
        next(self._turns[audience]).emit("message", payload, self._on_ack)

    def check(self) -> None:
        """Raises `ClientError` when a message was refused: it would be waited for in vain."""
        if self.failure:
            raise ClientError(f"a message was answered {self.failure}")

    def _on_ack(self, answer: bytes) -> None:
        if b'"ok":true' in answer or b'"ok": true' in answer:
            self.acknowledged += 1
        else:
            self.failure = answer[:200].decode(errors="replace")


@dataclass
class Said:
    """What a flow did."""

    messages: int
    deliveries: int


class Flow:
    """Keeps `in_flight` messages on their way in all rooms together, one room after the other."""

    def __init__(self, audiences: Sequence[Audience], in_flight: int, speech: Speech) -> None:
        self._audiences = audiences
        self._in_flight = in_flight
        self._speech = speech
        self._turn = itertools.cycle(audiences)
        self._deadline = 0.0
        self._wanted = 0
        self._left = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for each in audiences:
            each.on_heard = self._on_heard

    async def run(self, seconds: float, most: int = 1 << 30) -> Said:
        """Speak for `seconds`, or `most` messages; returns when every member has got every message."""
        before = {each: each.said for each in self._audiences}
        self._left = most
        self._done = asyncio.get_running_loop().create_future()
        self._deadline = time.perf_counter() + seconds
        for _ in range(min(self._in_flight, most)):
            self._say()
        try:
            async with asyncio.timeout(seconds + _DRAIN_SECONDS):
                await self._done
        except TimeoutError:
            missing = sum(each.said - each.heard for each in self._audiences)
            raise ClientError(f"{missing} messages did not reach every member in time") from None
        said = {each: each.said - start for each, start in before.items()}
        return Said(sum(said.values()), sum(count * each.members for each, count in said.items()))

    def _say(self) -> None:
        self._wanted += 1
        self._left -= 1
        self._speech.say(next(self._turn))

    def _on_heard(self, _audience: Audience) -> None:
        self._wanted -= 1
        if self._left > 0 and time.perf_counter() < self._deadline:
            self._say()
        elif not self._wanted and not self._done.done():
            self._done.set_result(None)


async def acknowledged(speakers: Speakers, messages: int) -> None:
    """Wait until so many messages were acknowledged; raises `ClientError` when one was refused, or was not."""
    deadline = time.perf_counter() + _DRAIN_SECONDS
    while speakers.acknowledged < messages:
        speakers.check()
        if time.perf_counter() > deadline:
            raise ClientError(f"{messages - speakers.acknowledged} messages were not acknowledged")
        await asyncio.sleep(0.01)
    speakers.check()
