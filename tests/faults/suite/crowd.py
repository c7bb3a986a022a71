"""All members of a run, who sits where, what they say, and when everything that was said has arrived."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, Self

from checker.ledger import Ledger
from tests.faults.suite import seats
from tests.faults.suite.light_line import LightLine
from tests.faults.suite.member import Member
from tests.faults.suite.seats import ROOMS_EACH
from tests.faults.suite.talk import Talk
from tests.support.waiting import until

USUAL_BYTES: Final = 20
"""Of a message's body."""
_START_SECONDS: Final = 60.0
_VOICES: Final = 12
"""Of those who shout: so many messages are on their way at once."""
_WHISPER_SECONDS: Final = (0.1, 0.5)
_WANDERERS: Final = 6
"""One in so many leaves a room now and then."""


class Crowd:
    """`tokens` has one for each member; `rate` is how many messages they send a second, all together.

    `officials` of them are on either official client.
    """

    def __init__(
        self, name: str, url: str, tokens: list[str], rng: random.Random, *, rate: float, officials: int
    ) -> None:
        self.ledger = Ledger()
        self.complaints: list[str] = []
        self.body_bytes = USUAL_BYTES
        self._rng = rng
        self._pause = len(tokens) / rate
        self._stopping = False
        self._whispers: list[asyncio.Task[None]] = []
        self._ids = (f"{name}-t{number}" for number in itertools.count())
        self._quiet = f"{name}-quiet"
        self.members = [
            Member(f"{name}-{number}", rooms, self.ledger, self._own_rng(), self._complain)
            for number, rooms in enumerate(seats.rooms(name, len(tokens), self._quiet))
        ]
        self.talks = [self._talk_of(member) for member in self.members]
        lines = seats.lines(url, self.members, tokens, officials, self._own_rng())
        for member, line in zip(self.members, lines, strict=True):
            member.line = line

    async def __aenter__(self) -> Self:
        """Everybody connects, and joins their rooms."""
        async with AsyncExitStack() as exits:

            async def start(member: Member) -> None:
                await member.line.start()
                exits.push_async_callback(member.stop)

            # All of them have to be through before those that did start can be stopped.
            started = await asyncio.gather(*map(start, self.members), return_exceptions=True)
            for error in started:
                if error is not None:
                    raise error
            await self.is_inside(_START_SECONDS)
            exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Everybody goes."""
        for each in self._whispers:
            each.cancel()
        await asyncio.gather(*self._whispers, return_exceptions=True)
        await asyncio.gather(*(each.stop() for each in self.members))

    @property
    def light(self) -> list[LightLine]:
        """The light clients' connections."""
        return [each.line for each in self.members if isinstance(each.line, LightLine)]

    @property
    def reconnects(self) -> int:
        """How often anybody connected again."""
        return sum(each.connects - 1 for each in self.members)

    @property
    def resends(self) -> int:
        """How often anybody said the same again, for want of an outcome."""
        return sum(each.resends for each in self.talks)

    def longest_wait(self, since: float) -> float:
        """How long anybody waited for an outcome after `since`, of those that are known; in seconds."""
        return max(each.longest_wait(since) for each in self.talks)

    @property
    def recoveries(self) -> int:
        """How often anybody got their session back with that."""
        return sum(each.recoveries for each in self.members)

    @property
    def longest_silence(self) -> float:
        """Of any member, in seconds."""
        return max(each.diary.longest_silence for each in self.members)

    @property
    def longest_absence(self) -> float:
        """Of any member, in seconds: from the loss of its connection until it was in all of its rooms again."""
        return max(each.longest_absence for each in self.members)

    def has_all(self) -> bool:
        """Whether everybody is where they should be, has paged back, and has heard the last of each room."""
        return not self.ledger.behind() and not any(each.outside or each.is_busy for each in self.members)

    async def is_inside(self, seconds: float) -> None:
        """Wait until everybody is where they should be; raises `AssertionError` after `seconds`."""
        try:
            await until(lambda: not self.outsiders(), "all members in their rooms", seconds=seconds)
        except AssertionError as error:
            raise AssertionError("; ".join([str(error), *self.outsiders()])) from None

    def outsiders(self) -> list[str]:
        """Who is not where they should be."""
        return [f"{each.name} is not in {each.outside}" for each in self.members if each.outside]

    # --- what is said -----------------------------------------------------------------------------------------------

    async def talk(self) -> None:
        """Everybody talks until `stop_talking`; returns once the outcome of all of it is known."""
        self._stopping = False
        wandering = [self._wander(member) for member in self.members[::_WANDERERS]]
        await asyncio.gather(*map(self._talk, self.members, self.talks), *wandering)
        await asyncio.gather(*self._whispers)

    @asynccontextmanager
    async def whispering(self) -> AsyncIterator[None]:
        """Within the block one member talks in a room where nobody says anything before or after."""
        member = self._rng.choice([each for each in self.members if self._quiet in each.rooms])
        talk = self._talk_of(member)
        self.talks.append(talk)
        is_over = False

        async def whisper() -> None:
            while True:
                await talk.say(self._quiet, "psst")
                if is_over:
                    return
                await asyncio.sleep(self._rng.uniform(*_WHISPER_SECONDS))

        whispering = asyncio.create_task(whisper())
        try:
            yield
        finally:
            is_over = True
            self._whispers.append(whispering)

    async def shout(self, room: str, times: int, *, but: Member) -> None:
        """Everybody in `room` except `but` says so much there, as fast as it is taken."""
        speakers = [each for each in self.members if room in each.rooms and each is not but]
        talks = [self._talk_of(speakers[number % len(speakers)]) for number in range(_VOICES)]
        self.talks += talks
        left = iter(range(times))

        async def speak(talk: Talk) -> None:
            for _ in left:
                await talk.say(room, "x" * self.body_bytes)

        await asyncio.gather(*map(speak, talks))

    def stop_talking(self) -> None:
        """Let what is being said be the last."""
        self._stopping = True

    async def _talk(self, member: Member, talk: Talk) -> None:
        while not self._stopping:
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * self._pause)
            await talk.say(self._rng.choice(member.rooms[:ROOMS_EACH]), "x" * self.body_bytes)

    async def _wander(self, member: Member) -> None:
        while not self._stopping:
            await asyncio.sleep(self._rng.uniform(1, 3))
            await member.step_out(self._rng.choice(member.rooms[:ROOMS_EACH]), self._rng.uniform(0, 1))

    # --- afterwards -------------------------------------------------------------------------------------------------

    def behind(self) -> list[str]:
        """Who has not heard the last of a room, in which, and where they are."""
        return [f"{each.reader} is at {each.position} in {each.room}" for each in self.ledger.behind()]

    def _talk_of(self, member: Member) -> Talk:
        return Talk(next(self._ids), member, self.ledger, self._own_rng(), self._complain)

    def _own_rng(self) -> random.Random:
        return random.Random(self._rng.random())

    def _complain(self, complaint: str) -> None:
        self.complaints.append(complaint)
