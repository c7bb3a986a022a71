"""A thousand light members, those of them who talk all the time, and whether everybody was told everything."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from tests.support.light_member import LightMember
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

CLIENTS: Final = 1000
ROOMS: Final = 20
_ROOMS_EACH: Final = 2
_CONNECTING_AT_ONCE: Final = 50
_MESSAGES_A_SECOND: Final = 40


class Talk:
    """Each of `speakers` says something in each of `rooms` in turn, all the time within `async with`."""

    def __init__(self, speakers: Sequence[LightMember], rooms: Sequence[str]) -> None:
        self._speakers = speakers
        self.said: dict[str, list[int]] = {room: [] for room in rooms}
        """The seqs of each room, as they were acknowledged."""
        self._stopping = False

    async def __aenter__(self) -> Self:
        """Begin."""
        self._running = [asyncio.create_task(self._run(each)) for each in self._speakers]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait until all that was said is acknowledged."""
        self._stopping = True
        await asyncio.gather(*self._running)

    async def more(self) -> None:
        """Wait until something more was said in every room."""
        counts = {room: len(seqs) for room, seqs in self.said.items()}
        await until(lambda: all(len(seqs) > counts[room] for room, seqs in self.said.items()), "traffic in all rooms")

    async def _run(self, speaker: LightMember) -> None:
        while not self._stopping:
            for room, seqs in self.said.items():
                seqs.append(await speaker.say(room, unique("m")))
                await asyncio.sleep(len(self._speakers) / _MESSAGES_A_SECOND)


async def light_members(
    stack: TestStack,
    exits: AsyncExitStack,
    rooms: Sequence[str],
    ways: Sequence[list[int]],
    may_connect: asyncio.Event,
) -> list[LightMember]:
    """Members who are in, each in two of `rooms`; the ports that they go to are one of `ways`, in turn."""
    members: list[LightMember] = []
    while len(members) < CLIENTS:
        for number in range(len(members), len(members) + _CONNECTING_AT_ONCE):
            its_rooms = [rooms[(number + step * 7) % len(rooms)] for step in range(_ROOMS_EACH)]
            member = LightMember(ways[number % len(ways)], await stack.token(), its_rooms, may_connect)
            members.append(await exits.enter_async_context(member))
        await until(lambda: all(each.is_in for each in members), "them to be in")
    return members


async def all_were_told(members: Sequence[LightMember], said: dict[str, list[int]]) -> None:
    """Everybody has everything that was said in their rooms, once and in order."""
    for member in members:
        for room, told in member.told.items():
            seqs = sorted(said[room])
            await until(lambda told=told, seqs=seqs: len(told) >= len(seqs), "the last")  # type: ignore[misc]
            assert [each["seq"] for each in told] == seqs
            assert [each["prev"] for each in told] == [0, *seqs[:-1]]
