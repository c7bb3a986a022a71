"""Private rooms while something is down, and after whoever stored a change has died."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.listening import Delivery
from tests.support.clients.parley import PythonClient
from tests.support.paused import paused
from tests.support.people import Person, guest
from tests.support.stacks import TestStack
from tests.support.waiting import until
from wire import codec, streams, subjects
from wire.control import MembersChanged


@asynccontextmanager
async def gateway_that_hears(stack: TestStack) -> AsyncIterator[list[MembersChanged]]:
    """What gateways hear, also what they have to read up."""
    heard: list[MembersChanged] = []

    def hear(delivery: Delivery) -> None:
        heard.append(codec.Decoder(MembersChanged).decode(delivery.data))

    async with stack.bus("gateway") as bus:
        bus.listen(subjects.CONTROL_INTEREST, hear)
        assert await bus.round_trip(5)
        yield heard


@asynccontextmanager
async def nothing_can_be_announced(stack: TestStack) -> AsyncIterator[None]:
    """The stream is lost, and made again at the end of the block."""
    async with stack.nats() as admin:
        await admin.jetstream().delete_stream(streams.CONTROL)
    yield
    await stack.setup()


async def _auth_dies(stack: TestStack) -> None:
    await stack.children["auth"].kill()
    await stack.children["auth"].start()
    await stack.ready("auth")


async def test_a_change_outlives_whoever_stored_it(own_stack: TestStack) -> None:
    """Auth is killed after it has stored a removal, and before gateways have heard: asking again tells them.

    So does auth by itself, if nobody asks again.
    """
    ann, bob, cam = [await guest(own_stack) for _ in range(3)]
    asked, unasked = await ann.group(bob, cam), await ann.group(bob, cam)
    async with nothing_can_be_announced(own_stack):
        for room in (asked, unasked):
            answer = await ann.ask("DELETE", f"/api/rooms/{room}/members/{bob.id}")
            assert (answer.status, answer.body["code"]) == (503, "unavailable")
        await _auth_dies(own_stack)
        assert (await bob.ask("GET", f"/api/rooms/{asked}")).status == 403
    async with gateway_that_hears(own_stack) as heard:
        assert (await ann.ask("DELETE", f"/api/rooms/{asked}/members/{bob.id}")).status == 204
        assert MembersChanged(room=asked, removed=(bob.id,), reason="removed") in heard
        late = MembersChanged(room=unasked, removed=(bob.id,), reason="removed")
        await until(lambda: late in heard, "gateways to hear of the other")


async def test_a_deletion_outlives_whoever_stored_it(own_stack: TestStack) -> None:
    """Its owner, who is no member of anything any more, can ask again; then gateways hear of all who were."""
    ann, bob = await guest(own_stack), await guest(own_stack)
    room = await ann.group(bob)
    async with nothing_can_be_announced(own_stack):
        assert (await ann.ask("DELETE", f"/api/rooms/{room}")).status == 503
        await _auth_dies(own_stack)
    async with gateway_that_hears(own_stack) as heard:
        assert (await bob.ask("DELETE", f"/api/rooms/{room}")).status == 403
        assert (await ann.ask("DELETE", f"/api/rooms/{room}")).status == 204
        assert MembersChanged(room=room, removed=(ann.id, bob.id), reason="deleted") in heard
        assert (await ann.ask("DELETE", f"/api/rooms/{room}")).status == 403


async def _everything(ann: Person, bob: Person, room: str) -> set[tuple[int, str]]:
    answers = await asyncio.gather(
        ann.ask("GET", "/api/rooms"),
        ann.ask("POST", "/api/rooms", {"members": [bob.id]}),
        ann.ask("POST", "/api/direct", {"user": bob.id}),
        ann.ask("GET", f"/api/rooms/{room}"),
        ann.ask("PATCH", f"/api/rooms/{room}", {"name": "Hiking"}),
        ann.ask("DELETE", f"/api/rooms/{room}"),
        ann.ask("PUT", f"/api/rooms/{room}/members/{bob.id}"),
        ann.ask("DELETE", f"/api/rooms/{room}/members/{bob.id}"),
        ann.ask("GET", f"/api/rooms/{room}/messages"),
    )
    return {(each.status, each.body["code"]) for each in answers}


async def test_without_mongodb_private_rooms_are_unavailable_and_public_ones_are_not(own_stack: TestStack) -> None:
    """Nobody is let in unasked, and nobody is told that they are no member; afterwards all is as it was."""
    ann, bob = await guest(own_stack), await guest(own_stack)
    async with PythonClient(own_stack.gateway_urls[0], ann.token) as client:
        room = await ann.group(bob)
        async with paused(own_stack.children["mongo"]):
            refused = await client.call("join", {"room": room})
            assert (refused["ok"], refused["error"]["code"]) == (False, "unavailable")
            assert (await client.join("lobby"))["ok"]
            assert await _everything(ann, bob, room) == {(503, "unavailable")}

        async def joins() -> bool:
            return bool((await client.call("join", {"room": room}))["ok"])

        await until(joins, "it to be answered again")


async def test_without_auth_private_rooms_are_unavailable_and_public_ones_are_not(own_stack: TestStack) -> None:
    """Of whoever is connected already; nobody waits long."""
    ann, bob = await guest(own_stack), await guest(own_stack)
    async with PythonClient(own_stack.gateway_urls[0], ann.token) as client:
        room = await ann.group(bob)
        await own_stack.children["auth"].kill()
        refused = await client.call("join", {"room": room})
        assert (refused["ok"], refused["error"]["code"]) == (False, "unavailable")
        assert (await client.join("lobby"))["ok"]
        assert await _everything(ann, bob, room) == {(503, "unavailable")}


async def test_auth_is_killed_again_and_again_while_members_come_and_go(own_stack: TestStack) -> None:
    """In the end gateways have heard of exactly those who are members, and every group has its owner among them."""
    ann, *others = [await guest(own_stack) for _ in range(5)]
    rooms = [await ann.group() for _ in range(3)]
    dice = random.Random(5)
    stopping = False

    async def change(room: str) -> None:
        while not stopping:
            who = dice.choice(others)
            answer = await ann.ask(dice.choice(["PUT", "DELETE"]), f"/api/rooms/{room}/members/{who.id}")
            assert answer.status in {204, 503}, answer

    async with gateway_that_hears(own_stack) as heard:
        changing = [asyncio.create_task(change(room)) for room in rooms]
        for _ in range(4):
            before = len(heard)
            await until(lambda before=before: len(heard) > before + 20, "changes", seconds=60)  # type: ignore[misc]
            await _auth_dies(own_stack)
        stopping = True
        await asyncio.gather(*changing)
        for room in rooms:
            seen = (await ann.ask("GET", f"/api/rooms/{room}")).body
            members = {each["id"] for each in seen["members"]}
            assert seen["owner"] == ann.id in members
            assert len(members) == seen["member_count"]
            await until(lambda room=room, members=members: _known(heard, room) | {ann.id} == members, "it all")  # type: ignore[misc]


def _known(heard: list[MembersChanged], room: str) -> set[str]:
    """Who is in `room`, by what was heard."""
    known: set[str] = set()
    for each in heard:
        if each.room == room:
            known = (known | set(each.added)) - set(each.removed)
    return known
