"""Backups, and what comes back from them: docs/OPERATIONS.md, "Backup and restore", on real servers.

The databases are copied by `python -m deploy.backup`, in mongodump's files; the stream over the API that the `nats`
command uses.
"""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pymongo import MongoClient

from tests.support import restoring, stream_copies
from tests.support.clients.parley import PythonClient
from tests.support.members import two_members
from tests.support.people import guest
from tests.support.restoring import RestoredStack, history, killed, lose, pages
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

Pages = dict[str, list[dict[str, Any]]]
_PAUSE = 0.03
"""Between two messages of one: a backup takes seconds, and the pages of thousands are of no use here."""
ACCOUNT = {"username": "ann", "password": "correct horse battery"}


class Talk:
    """Two people who do not stop talking, in several rooms."""

    def __init__(self, rooms: list[str]) -> None:
        self.rooms = rooms
        self.acked: dict[str, list[int]] = {room: [] for room in rooms}
        """Seqs, in the order of their acknowledgements."""
        self.ids: dict[int, str] = {}

    @property
    def count(self) -> int:
        """How many are acknowledged."""
        return sum(map(len, self.acked.values()))

    def upto(self) -> dict[str, int]:
        """The highest seq of each room so far."""
        return {room: max(seqs, default=0) for room, seqs in self.acked.items()}

    @asynccontextmanager
    async def going_on(self, *members: PythonClient) -> AsyncIterator[None]:
        """While the block runs."""
        ending = asyncio.Event()
        tasks = [asyncio.create_task(self._talk(member, ending)) for member in members]
        try:
            yield
        finally:
            ending.set()
            await asyncio.gather(*tasks)

    async def grows(self, by: int) -> None:
        """Wait until so many more are acknowledged."""
        enough = self.count + by
        await until(lambda: self.count >= enough, "messages to be acknowledged")

    async def _talk(self, member: PythonClient, ending: asyncio.Event) -> None:
        for room in itertools.cycle(self.rooms):
            if ending.is_set():
                return
            await asyncio.sleep(_PAUSE)
            id = unique("m")
            ack = await member.say(room, id, data={"of": id})
            assert ack["ok"], ack
            self.acked[room].append(ack["seq"])
            self.ids[ack["seq"]] = id


async def _pages(client: PythonClient, rooms: list[str]) -> Pages:
    return {room: await pages(client, room) for room in rooms}


def _check_sound(found: Pages) -> None:
    for messages in found.values():
        seqs = [each["seq"] for each in messages]
        assert seqs == sorted(set(seqs))
        assert [each["prev"] for each in messages] == [0, *seqs[:-1]]
        assert len({each["id"] for each in messages}) == len(messages)


async def test_all_is_lost_and_comes_back_from_a_backup_of_the_databases() -> None:
    """Made while people talk. Everything that was acknowledged before is there, at its place, and once.

    Clients go on, also those that had seen more, and no seq is ever used a second time; accounts, groups and what was
    read are there; an id that is sent again is kept once.
    """
    with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
        data, backup = Path(folder) / "data", Path(folder) / "backup"
        talk = Talk([unique("lost") for _ in range(3)])
        async with killed(TestStack(data)) as stack:
            tokens = [await stack.token(), await stack.token()]
            ann, other = await _register(stack), await guest(stack)
            group = await _group(stack, ann, other.id)
            async with two_members(stack, talk.rooms[0], tokens) as (one, two):
                for member, room in itertools.product((one, two), talk.rooms[1:]):
                    await member.join(room)
                async with talk.going_on(one, two):
                    await talk.grows(60)
                    marked = talk.acked[talk.rooms[0]][5]
                    assert (await one.call("read", {"room": talk.rooms[0], "seq": marked}))["ok"]
                    upto = talk.upto()
                    await restoring.save(stack, backup)
                    await talk.grows(30)
                before = await _pages(one, talk.rooms)
        _check_sound(before)
        lose(stack, "nats", "mongo")
        async with killed(RestoredStack(data, backup=backup)) as stack:
            await _check_restored(stack, tokens, talk, before, upto)
            assert await _members(stack, group) == 2
            with _root(stack) as client:
                (marker,) = client["parley_history"]["read_markers"].find()
            assert marker["seq"] == marked


async def _check_restored(
    stack: TestStack, tokens: list[str], talk: Talk, before: Pages, upto: dict[str, int]
) -> None:
    """Each room is what it was up to `upto`, and goes on above all that anybody has seen."""
    seen = talk.upto()
    async with (
        two_members(stack, talk.rooms[0]) as (reader, _),
        two_members(stack, unique("idle"), tokens) as (one, two),
    ):
        for room in talk.rooms:
            await reader.join(room)
        after = await _pages(reader, talk.rooms)
        _check_sound(after)
        for room in talk.rooms:
            kept = [each for each in before[room] if each["seq"] <= upto[room]]
            assert len(kept) >= 10
            assert [each for each in after[room] if each["seq"] <= upto[room]] == kept
            # Of what came while it was made some is in it.
            assert [each["id"] for each in after[room]] == [talk.ids[each["seq"]] for each in after[room]]
            ack = await one.join(room, after=seen[room])
            assert (ack["missed"], ack["seq"]) == (0, after[room][-1]["seq"])
            assert (await two.join(room, after=after[room][-4]["seq"]))["missed"] == 3
            new = await one.say(room, unique("new"))
            assert new["ok"]
            assert new["seq"] > max(seen.values()), "clients may have seen what is lost"
            await until(lambda r=room, n=new: all(n["seq"] in _seqs(m, r) for m in (one, two)), "it")  # type: ignore[misc]
            # Whoever said it says it again: a new place for those who are there, and nothing new in history.
            said = kept[0]
            again = next(each for each in (one, two) if each.of("session")[0]["user"]["id"] == said["from"]["id"])
            assert (await again.say(room, said["id"]))["seq"] > new["seq"]
        await history(stack, "persisted")
        for room, messages in (await _pages(reader, talk.rooms)).items():
            assert messages[:-1] == after[room]
            assert messages[-1]["seq"] > max(seen.values())
            assert messages[-1]["id"] not in talk.ids.values()


def _seqs(client: PythonClient, room: str) -> list[int]:
    return [each["seq"] for each in client.messages(room)]


async def test_a_database_that_is_restored_gets_what_came_since_from_the_stream() -> None:
    """People talk on while it is away; what its backup lacks is persisted again, and nothing is missing.

    History sees that the stream's account and the database do not fit together, and says what to run. The same by
    hand, where only the operator can know it.
    """
    with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
        data, backup = Path(folder) / "data", Path(folder) / "backup"
        talk = Talk([unique("restored") for _ in range(2)])
        async with killed(TestStack(data)) as stack, two_members(stack, talk.rooms[0]) as (one, two):
            for member in (one, two):
                await member.join(talk.rooms[1])
            async with talk.going_on(one, two):
                await talk.grows(40)
                await restoring.save(stack, backup)
                await talk.grows(40)
            await history(stack, "persisted")
            for name in ("history", "auth", "mongo"):
                await stack.children[name].kill()
            lose(stack, "mongo")
            async with talk.going_on(one, two):
                await talk.grows(20)
                await stack.children["mongo"].start()
                await stack.ready("mongo")
                await restoring.load(stack, backup)
                for name in ("history", "auth"):
                    await stack.children[name].start()
                said = "what MongoDB had before it was restored is missing: run `python -m services.history setup`"
                await until(lambda: any(said in line for line in stack.output), "history to say so")
                assert not await stack.is_ready("history")
                await stack.setup()
                await stack.ready("history", "auth")
            expected = {room: sorted(seqs) for room, seqs in talk.acked.items()}
            found = await _pages(one, talk.rooms)
            _check_sound(found)
            assert {room: [each["seq"] for each in messages] for room, messages in found.items()} == expected
            await history(stack, "persisted")
            assert await _pages(one, talk.rooms) == found

            with _root(stack) as client:
                client["parley_history"]["messages"].delete_many({"room": talk.rooms[0]})
            assert await pages(one, talk.rooms[0]) == []
            ended = await history(stack, "setup", "--persist-again")
            assert any("history persists again" in line for line in ended.logged)
            await history(stack, "persisted")

            async def is_whole() -> bool:
                return await _pages(one, talk.rooms) == found

            await until(is_whole, "all of it")


async def test_a_stream_that_was_backed_up_brings_what_the_database_lacks() -> None:
    """Restored without its consumer, and persisted; then it makes way for one that begins above all that was seen."""
    with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
        data, backup = Path(folder) / "data", Path(folder) / "backup"
        talk = Talk([unique("copied") for _ in range(2)])
        async with killed(TestStack(data)) as stack, two_members(stack, talk.rooms[0]) as (one, two):
            for member in (one, two):
                await member.join(talk.rooms[1])
            async with talk.going_on(one, two):
                await talk.grows(30)
                await restoring.save(stack, backup)
                await stack.children["history"].kill()
                await talk.grows(30)
                upto = talk.upto()
                async with stack.nats() as client:
                    copy = await stream_copies.backup(client, "MESSAGES")
                await talk.grows(10)
            seen = talk.upto()
        lose(stack, "nats", "mongo")
        restored = killed(RestoredStack(data, backup=backup, copy=copy))
        async with restored as stack, PythonClient(stack.gateway_urls[0], await stack.token()) as one:
            for room in talk.rooms:
                await one.join(room)
            found = await _pages(one, talk.rooms)
            _check_sound(found)
            for room, messages in found.items():
                seqs = [each["seq"] for each in messages]
                assert set(seqs) >= {seq for seq in talk.acked[room] if seq <= upto[room]}
                assert [each["id"] for each in messages] == [talk.ids[seq] for seq in seqs]
                assert (await one.say(room, unique("new")))["seq"] > max(seen.values())


async def _register(stack: TestStack) -> str:
    """The access token of a new account."""
    return await _session(stack, "register", 201)


async def _session(stack: TestStack, way: str, status: int) -> str:
    url = f"{stack.gateway_urls[0]}/api/{way}"
    async with aiohttp.ClientSession() as http, http.post(url, json=ACCOUNT) as answer:
        assert answer.status == status, await answer.text()
        return str((await answer.json())["access_token"])


async def _group(stack: TestStack, token: str, other: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    url, body = f"{stack.gateway_urls[0]}/api/rooms", {"members": [other]}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=body) as answer:
        assert answer.status == 201
        return str((await answer.json())["room"])


async def _members(stack: TestStack, group: str) -> int:
    """How many are in the group, as its owner is told who signs in with their password."""
    headers = {"Authorization": f"Bearer {await _session(stack, 'login', 200)}"}
    url = f"{stack.gateway_urls[0]}/api/rooms"
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        (room,) = (await answer.json())["rooms"]
    assert room["room"] == group
    return len(room["members"])


def _root(stack: TestStack) -> MongoClient[dict[str, Any]]:
    return MongoClient(stack.mongo_url_of("root"))
