"""A crowd: many clients of one server. They connect, join, say things, listen, and leave all at once."""

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from deploy.local.ports import HOST
from loadtests.bench.audience import Audience
from loadtests.bench.listener import Listener, Member
from loadtests.bench.talker import Talker
from loadtests.bench.targets import Target
from loadtests.light.connection import ClientError, Connection

AT_ONCE: Final = 100
"""Handshakes on their way at any time, unless a case says otherwise: the server's core is busy, its backlog short."""
_TRIES: Final = 12
_AGAIN_SECONDS: Final = (0.5, 1.5)
"""The official clients' first delay, with its jitter."""
_CONNECT_SECONDS: Final = 60.0
_names: Final = itertools.count(1)

T = TypeVar("T")
R = TypeVar("R")


class Crowd:
    """Clients of one gateway of `target`; their rooms are called after `name`.

    `lost` counts connections that ended without being told to; `tried_again`, those that were not admitted at once.
    """

    def __init__(self, target: Target, gateway: int = 1, first_user: int = 0, name: str = "") -> None:
        self._target = target
        self._port = target.port(gateway)
        self._first_user = first_user
        self._leaving = False
        self._name = name or f"room-{next(_names)}"
        self.members: list[Member] = []
        self.talkers: list[Talker] = []
        self.audiences: list[Audience] = []
        self.lost = 0
        self.tried_again = 0
        self._tries = 1

    async def connect(
        self, count: int, *, room_size: int = 0, at_once: int = AT_ONCE, persistent: bool = False
    ) -> None:
        """Connect `count` more; all are admitted when it returns. Raises `ClientError` or `OSError`.

        They belong to rooms of `room_size` (the last may be smaller), or to none, and enter them with `join`.
        `persistent` clients that are turned away, or closed before they are admitted, come again a second later.
        """
        start = len(self.talkers)
        places: list[Audience | None] = [None] * count
        if room_size:
            for first in range(0, count, room_size):
                members = min(room_size, count - first)
                self.audiences.append(Audience(f"{self._name}-{len(self.audiences)}", members))
                places[first : first + members] = [self.audiences[-1]] * members
        self._leaving = False
        self._tries = _TRIES if persistent else 1
        self.talkers += await each_of(list(enumerate(places, start)), self._connect, at_once)
        self.members = list(self.talkers)

    async def join(self, *, at_once: int = AT_ONCE) -> None:
        """Each enters the room that it belongs to, where a server has such an event."""
        if self._target.greeting(0) is not None:
            await each_of([each for each in self.talkers if each.audience is not None], _join, at_once)

    def listen(self, speakers: int) -> dict[Audience, list[Talker]]:
        """Of each room, `speakers` go on as they are and are returned; the others only count from now on."""
        found: dict[Audience, list[Talker]] = {each: [] for each in self.audiences}
        members: list[Member] = []
        for talker in self.talkers:
            audience = talker.audience
            if audience is None or len(found[audience]) < speakers:
                members.append(talker)
                if audience is not None:
                    found[audience].append(talker)
            else:
                members.append(Listener(talker))
        self.members = members
        return found

    def check(self) -> None:
        """Raises `ClientError` when a connection was lost, or a message delivered that was not due."""
        if self.lost:
            raise ClientError(f"{self.lost} connections were lost")
        excess = sum(each.excess for each in self.audiences)
        if excess:
            raise ClientError(f"{excess} deliveries were not due")

    async def drop(self) -> None:
        """Close every connection at once; returns when this side has closed them all."""
        self._leaving = True
        for each in self.members:
            each.close()
        while not all(each.lost for each in self.members):  # noqa: ASYNC110 - thousands of events would cost more
            await asyncio.sleep(0.005)
        self.members, self.talkers, self.audiences = [], [], []

    async def _connect(self, place: tuple[int, Audience | None]) -> Talker:
        user, audience = place
        request = self._target.request(audience.room if audience is not None else "none")
        for attempt in range(self._tries):
            talker = Talker(request, self._target.greeting(self._first_user + user), self._on_lost)
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await self._open(talker)
            except (ClientError, OSError, TimeoutError):
                talker.close()
                if attempt == self._tries - 1:
                    raise
                self.tried_again += 1
                await asyncio.sleep(random.uniform(*_AGAIN_SECONDS))  # noqa: S311 - as official clients do
            else:
                talker.audience = audience
                return talker
        raise ClientError("no try was allowed")

    async def _open(self, talker: Talker) -> None:
        await asyncio.get_running_loop().create_connection(lambda: talker, HOST, self._port)
        await talker.ready

    def _on_lost(self, member: Connection) -> None:
        if not self._leaving and (not isinstance(member, Talker) or member.admitted):
            self.lost += 1


async def each_of(things: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """Do `work` with each of `things`, `at_once` at a time; returns what it returned, in the order of `things`."""
    waiting = enumerate(things)
    results: dict[int, R] = {}

    async def worker() -> None:
        for index, thing in waiting:
            results[index] = await work(thing)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return [results[index] for index in sorted(results)]


async def _join(talker: Talker) -> None:
    if talker.audience is not None:
        await talker.call("join", json.dumps({"room": talker.audience.room}).encode())
