"""Read markers and unread counts across a user's devices, on two gateways, and who is told of a new room."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.people import Person, guest
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until
from wire.reading import UNREAD_MOST


@pytest_asyncio.fixture(loop_scope="session")
async def two(stack: TestStack) -> list[Person]:
    """Ann and Bob."""
    return [await guest(stack) for _ in range(2)]


async def _stands(person: Person, room: str, *, gateway: int = 0) -> tuple[int, int, int]:
    body = (await person.ask("GET", f"/api/rooms/{room}", gateway=gateway)).body
    return body["seq"], body["read"], body["unread"]


async def _say(client: PythonClient, room: str, count: int) -> list[int]:
    return [(await client.say(room, unique("m")))["seq"] for _ in range(count)]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_what_is_read_on_one_device_is_read_on_the_others(
    stack: TestStack, two: list[Person], transport: str
) -> None:
    """At either gateway, whether they have joined the room or not; nobody else is told, nor the one who read."""
    ann, bob = two
    room = await ann.group(bob)
    near, far = stack.gateway_urls
    async with (
        PythonClient(near, ann.token, transports=[transport]) as phone,
        PythonClient(near, ann.token) as desk,
        PythonClient(far, ann.token, transports=[transport]) as tablet,
        PythonClient(far, bob.token) as bobs,
    ):
        await phone.join(room)
        await bobs.join(room)
        first, second, third = await _say(bobs, room, 3)
        assert await _stands(ann, room, gateway=1) == (third, 0, 3)
        assert await phone.call("read", {"room": room, "seq": second}) == {"ok": True, "seq": second}
        for each in (desk, tablet):
            await until(lambda each=each: bool(each.of("read")), "the others to be told")  # type: ignore[misc]
            assert each.of("read") == [{"room": room, "seq": second}]
        assert await _stands(ann, room, gateway=1) == (third, second, 1)
        assert await _stands(bob, room) == (third, 0, 0), "what one has said oneself is not unread"
        # Back it never goes, and what has not moved is not told.
        assert await phone.call("read", {"room": room, "seq": first}) == {"ok": True, "seq": second}
        assert await phone.call("read", {"room": room, "seq": 10**15}) == {"ok": True, "seq": third}
        for each in (desk, tablet):
            await until(lambda each=each: len(each.of("read")) >= 2, "the last")  # type: ignore[misc]
            assert each.of("read") == [{"room": room, "seq": seq} for seq in (second, third)]
        assert await _stands(ann, room) == (third, third, 0)
        assert not phone.of("read")
        assert not bobs.of("read")


async def test_devices_that_race_end_where_the_furthest_is(stack: TestStack, two: list[Person]) -> None:
    """Two on two gateways read up and down at once; afterwards all agree, also those that only listen."""
    ann, bob = two
    room = await ann.group(bob)
    async with AsyncExitStack() as entered:
        devices = [
            await entered.enter_async_context(PythonClient(stack.gateway_urls[number % 2], ann.token))
            for number in range(4)
        ]
        bobs = await entered.enter_async_context(PythonClient(stack.gateway_urls[0], bob.token))
        await asyncio.gather(*(each.join(room) for each in [*devices, bobs]))
        seqs = await _say(bobs, room, 20)
        asked = random.Random(3).sample(seqs, 20)
        acks = await asyncio.gather(
            *(devices[n % 2].call("read", {"room": room, "seq": seq}) for n, seq in enumerate(asked))
        )
        assert all(ack["seq"] >= seq for ack, seq in zip(acks, asked, strict=True))
        assert await _stands(ann, room) == (seqs[-1], seqs[-1], 0)
        for each in devices[2:]:
            await until(lambda each=each: _furthest(each) == seqs[-1], "whoever listens to hear of it")  # type: ignore[misc]


def _furthest(client: PythonClient) -> int:
    return max((each["seq"] for each in client.of("read")), default=0)


async def test_a_list_of_rooms_says_what_is_unread_in_each(stack: TestStack, two: list[Person]) -> None:
    """As of the last acknowledged message, and never more than a hundred."""
    ann, bob = two
    rooms = [await ann.group(bob) for _ in range(5)]
    expected: dict[str, tuple[int, int, int]] = {}
    async with PythonClient(stack.gateway_urls[1], bob.token) as bobs:
        for number, room in enumerate(rooms):
            await bobs.join(room)
            acks = await asyncio.gather(*(bobs.say(room, unique("m")) for _ in range(number * 30)))
            expected[room] = (max((ack["seq"] for ack in acks), default=0), 0, min(number * 30, UNREAD_MOST))
        found = (await ann.ask("GET", "/api/rooms")).body["rooms"]
        assert {each["room"]: (each["seq"], each["read"], each["unread"]) for each in found} == expected


async def test_a_public_room_has_a_marker_too(stack: TestStack, two: list[Person]) -> None:
    """Over HTTP, whether one has joined it or not; a room without messages is there as well."""
    ann, bob = two
    room = unique("lounge")
    empty = {"room": room, "kind": "public", "seq": 0, "read": 0, "unread": 0}
    assert await ann.ask("GET", f"/api/rooms/{room}") == (200, empty)
    async with (
        PythonClient(stack.gateway_urls[0], ann.token) as anns,
        PythonClient(stack.gateway_urls[1], bob.token) as bobs,
    ):
        await anns.join(room)
        assert await anns.call("read", {"room": room, "seq": 7}) == {"ok": True, "seq": 0}
        await bobs.join(room)
        first, second = await _say(bobs, room, 2)
        assert (await anns.call("read", {"room": room, "seq": first}))["seq"] == first
        standing = {**empty, "seq": second, "read": first, "unread": 1}
        assert await ann.ask("GET", f"/api/rooms/{room}", gateway=1) == (200, standing)


async def test_only_who_is_in_a_room_reads_it(stack: TestStack, two: list[Person]) -> None:
    """Not before the join, and not after a removal; whoever comes back finds their marker."""
    ann, bob = two
    room = await ann.group(bob)
    async with (
        PythonClient(stack.gateway_urls[0], ann.token) as anns,
        PythonClient(stack.gateway_urls[1], bob.token) as bobs,
    ):
        await anns.join(room)
        (seq,) = await _say(anns, room, 1)
        wanted = {"room": room, "seq": seq}
        assert _code(await bobs.call("read", wanted)) == "not_joined"
        await bobs.join(room)
        assert (await bobs.call("read", wanted))["ok"]
        await ann.remove(room, bob)
        await until(lambda: bool(bobs.of("removed")), "Bob to be put out")
        assert _code(await bobs.call("read", wanted)) == "not_joined"
        assert (await bob.ask("GET", f"/api/rooms/{room}")).status == 403
        await ann.invite(room, bob)
        assert await _stands(bob, room) == (seq, seq, 0)


def _code(ack: Any) -> str:
    return "ok" if ack["ok"] else str(ack["error"]["code"])


async def test_whoever_becomes_a_member_is_told_on_all_devices(stack: TestStack, two: list[Person]) -> None:
    """Of a group made with them, an invitation and a conversation that was opened; once, and nobody else."""
    ann, bob = two
    cam = await guest(stack)
    async with (
        PythonClient(stack.gateway_urls[0], bob.token) as near,
        PythonClient(stack.gateway_urls[1], bob.token) as far,
        PythonClient(stack.gateway_urls[0], ann.token) as anns,
        PythonClient(stack.gateway_urls[1], cam.token) as cams,
    ):
        made = await ann.group(bob)
        direct = await ann.direct(bob)
        assert await bob.direct(ann) == direct
        invited = await ann.group()
        await ann.invite(invited, bob)
        await ann.invite(invited, bob)
        await ann.invite(invited, cam)
        await until(lambda: bool(cams.of("added")), "the last to be told")
        for each in (near, far):
            await until(lambda each=each: len(each.of("added")) >= 3, "Bob to be told")  # type: ignore[misc]
            assert each.of("added") == [{"room": room} for room in (made, direct, invited)]
        assert anns.of("added") == [{"room": room} for room in (made, direct, invited)]
        assert cams.of("added") == [{"room": invited}]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda ann, bob, room: ann.remove(room, bob), "removed"),
        (lambda _, bob, room: bob.ask("DELETE", f"/api/rooms/{room}/members/{bob.id}"), "left"),
        (lambda ann, _, room: ann.ask("DELETE", f"/api/rooms/{room}"), "deleted"),
    ],
    ids=["removed", "left", "deleted"],
)
async def test_whoever_is_no_member_any_more_is_told_on_all_devices(
    stack: TestStack, two: list[Person], end: Callable[[Person, Person, str], Any], reason: str
) -> None:
    """Once each, those in the room and those that have never joined it, at either gateway; and nobody else."""
    ann, bob = two
    room, next_room = await ann.group(bob), await ann.group(bob)
    near, far = stack.gateway_urls
    async with (
        PythonClient(near, bob.token) as inside,
        PythonClient(near, bob.token) as desk,
        PythonClient(far, bob.token) as tablet,
        PythonClient(far, ann.token) as anns,
    ):
        await inside.join(room)
        await end(ann, bob, room)
        await ann.remove(next_room, bob)
        for each in (inside, desk, tablet):
            await until(lambda each=each: len(each.of("removed")) >= 2, "Bob to be told")  # type: ignore[misc]
            assert each.of("removed") == [{"room": room, "reason": reason}, {"room": next_room, "reason": "removed"}]
        assert anns.of("removed") == ([{"room": room, "reason": reason}] if reason == "deleted" else [])
