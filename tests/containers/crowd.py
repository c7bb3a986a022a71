"""People in a few rooms, who talk while something happens to the gateways, and the judge of what they saw."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, Final, Self

from checker import report
from checker.account import Place
from checker.judge import Verdict, judge
from checker.ledger import Ledger
from tests.support.clients.parley import PythonClient
from tests.support.light_member import LightMember
from tests.support.stacks import unique
from tests.support.waiting import until

_ROOMS: Final = 2
_SETTLE_SECONDS: Final = 30.0


class Crowd:
    """Within `async with`, members of two rooms at the one address `port`, who come back when they lose it."""

    def __init__(self, port: int, tokens: Sequence[str], ledger: Ledger) -> None:
        may_connect = asyncio.Event()
        may_connect.set()
        self._rooms = [unique("crowd") for _ in range(_ROOMS)]
        self._members = [LightMember([port], token, self._rooms, may_connect) for token in tokens]
        self._ledger = ledger
        self._ids = (unique("said") for _ in itertools.count())

    async def __aenter__(self) -> Self:
        """Once all are in."""
        for each in self._members:
            await each.__aenter__()
        await until(lambda: all(each.is_in for each in self._members), "everybody to be in", seconds=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        """All go."""
        for each in self._members:
            await each.__aexit__()

    @property
    def came_back(self) -> int:
        """How many lost their connection."""
        return sum(each.connections > 1 for each in self._members)

    async def speak(self, times: int) -> None:
        """Everybody says something in turn, each once the last one's was acknowledged; several at a time."""
        said = iter(range(times))
        await asyncio.gather(*(self._speak(member, said) for member in self._members))

    async def _speak(self, member: LightMember, said: Any) -> None:
        for number in said:
            room, id = self._rooms[number % _ROOMS], next(self._ids)
            self._ledger.sending(id)
            self._ledger.sent(room, await member.say(room, id), id)

    async def settle(self, url: str, token: str) -> None:
        """Wait until everybody has come to the end, and read the history."""

        def are_done() -> bool:
            last = dict.fromkeys(self._rooms, 0)
            for each in self._ledger.account.acknowledged:
                last[each.room] = max(last[each.room], each.seq)
            return all(
                member.is_in and member.told[room] and member.told[room][-1]["seq"] >= last[room]
                for member in self._members
                for room in self._rooms
            )

        await until(are_done, "everybody to have heard the last message", seconds=_SETTLE_SECONDS)
        for number, member in enumerate(self._members):
            for room in self._rooms:
                stay = self._ledger.arrives(f"member-{number}", room, member._since[room])
                self._ledger.joined(stay, member._since[room], truncated=False)
                for message in member.told[room]:
                    self._ledger.received(stay, _place(message))
        async with PythonClient(url, token, transports=["websocket"]) as reader:
            for room in self._rooms:
                await reader.join(room)
                self._ledger.account.history[room] = [_place(each) async for each in _pages(reader, room)]

    def verdict(self) -> Verdict:
        """The judge's."""
        return judge(self._ledger.account)

    def told(self) -> str:
        """The same for people."""
        return report.text(self.verdict())


async def _pages(reader: PythonClient, room: str) -> Any:
    after = 0
    while True:
        page = await reader.call("history", {"room": room, "after": after, "limit": 50})
        assert page["ok"], page
        for each in page["messages"]:
            yield each
            after = each["seq"]
        if not page["more"]:
            return


def _place(message: dict[str, Any]) -> Place:
    return Place(message["seq"], message["prev"], message["id"])
