"""All members of a run, who sits where, what they say, and when everything that was said has arrived."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, Self

from checker.ledger import Ledger
from tests.faults.suite import history
from tests.faults.suite.light_line import LightLine
from tests.faults.suite.member import Member
from tests.faults.suite.official_lines import JsLine, PythonLine
from tests.faults.suite.talk import Talk
from tests.support.waiting import until

ROOMS_EACH: Final = 2
USUAL_BYTES: Final = 20
"""Of a message's body."""
MEMBERS_A_ROOM: Final = 6
_OFFICIAL_EACH: Final = 2
_LISTENERS: Final = 3
_WHISPER_SECONDS: Final = (0.1, 0.5)
_WANDERERS: Final = 6
"""One in so many leaves a room now and then."""


class Crowd:
    """`tokens` has one for each member; `rate` is how many messages they send a second, all together."""

    def __init__(self, name: str, url: str, tokens: list[str], rng: random.Random, *, rate: float) -> None:
        self.ledger = Ledger()
        self.complaints: list[str] = []
        self.body_bytes = USUAL_BYTES
        self._url = url
        self._rng = rng
        self._pause = len(tokens) / rate
        self._stopping = False
        self._whispers: list[asyncio.Task[None]] = []
        self._ids = (f"{name}-t{number}" for number in itertools.count())
        self._quiet = f"{name}-quiet"
        self.members = [
            Member(f"{name}-{number}", rooms, self.ledger, self._own_rng(), self._complain)
            for number, rooms in enumerate(self._seats(name, len(tokens)))
        ]
        self.talks = [self._talk_of(member) for member in self.members]
        for member, line in zip(self.members, self._lines(tokens), strict=True):
            member.line = line

    async def __aenter__(self) -> Self:
        """Everybody connects, and joins their rooms."""
        try:
            await asyncio.gather(*(each.line.start() for each in self.members))
            await self.is_inside(60)
        except BaseException:
            await asyncio.gather(*(each.stop() for each in self.members), return_exceptions=True)
            raise
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
        await until(
            lambda: not any(each.outside for each in self.members), "all members in their rooms", seconds=seconds
        )

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

    async def read_history(self, url: str, token: str) -> None:
        """Put the whole history of all rooms into the account."""
        self.ledger.account.history.update(await history.read(url, token, self.ledger.rooms))

    def behind(self) -> list[str]:
        """Who has not heard the last of a room, in which, and where they are."""
        return [f"{each.reader} is at {each.position} in {each.room}" for each in self.ledger.behind()]

    # --- who sits where ---------------------------------------------------------------------------------------------

    def _seats(self, name: str, members: int) -> Iterator[list[str]]:
        """The rooms of each member: neighbours share some, and one in `_LISTENERS` is in the quiet one, too."""
        count = max(3, members * ROOMS_EACH // MEMBERS_A_ROOM)
        for number in range(members):
            rooms = [f"{name}-r{(number + each) % count}" for each in range(ROOMS_EACH)]
            yield rooms if number % _LISTENERS else [*rooms, self._quiet]

    def _talk_of(self, member: Member) -> Talk:
        return Talk(next(self._ids), member, self.ledger, self._own_rng(), self._complain)

    def _own_rng(self) -> random.Random:
        return random.Random(self._rng.random())

    def _complain(self, complaint: str) -> None:
        self.complaints.append(complaint)

    def _lines(self, tokens: list[str]) -> Iterator[Any]:
        kinds = [JsLine, PythonLine] * _OFFICIAL_EACH
        for number, (member, token) in enumerate(zip(self.members, tokens, strict=True)):
            kind = kinds[number] if number < len(kinds) else LightLine
            recovers = number > 1 and kind is not PythonLine and number % 2 == 0
            yield kind(self._url, {"token": token, **({"recover": True} if recovers else {})}, member)
