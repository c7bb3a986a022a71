"""Private rooms, live: members alone are let in, and whoever is one no more is out at once, on every gateway."""

import asyncio
import random
from typing import Any

import pytest

from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.clients.recovering import RecoveringClient
from tests.support.people import Person, guest
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

SECONDS = 2


def on(person: Person, gateway: int = 0, kind: type[ParleyClient] = PythonClient) -> ParleyClient:
    """A device of theirs."""
    return kind(person.stack.gateway_urls[gateway], person.token, transports=["websocket"])


def removals(client: ParleyClient) -> list[tuple[str, str]]:
    """The rooms that it was put out of, and why."""
    return [(each["room"], each["reason"]) for each in client.of("removed")]


async def test_members_talk_and_nobody_else(stack: TestStack) -> None:
    """In a group and in a direct conversation, over two gateways; others are refused alike, room or no room."""
    ann, bob, eve = [await guest(stack) for _ in range(3)]
    for room in (await ann.group(bob), await ann.direct(bob)):
        async with on(ann) as anns, on(bob, 1, JsClient) as bobs, on(eve, 1) as eves:
            await anns.join(room)
            await bobs.join(room)
            assert (await anns.say(room, "m-1"))["ok"]
            await until(lambda: len(bobs.messages(room)) == 1, "the message")  # noqa: B023 - awaited at once
            refused = await eves.call("join", {"room": room})
            assert refused["error"]["code"] == "forbidden"
            assert refused == await eves.call("join", {"room": "g-none"})
            for event, more in (("message", {"id": "m", "body": "x"}), ("typing", {"active": True})):
                assert (await eves.call(event, {"room": room, **more}))["error"]["code"] == "not_joined"
            assert (await eves.call("event", {"room": room, "name": "x", "data": 1}))["error"]["code"] == "not_joined"
            assert (await eves.call("history", {"room": room}))["error"]["code"] == "not_joined"
            status, page = await bob.ask("GET", f"/api/rooms/{room}/messages", gateway=1)
            assert (status, [each["id"] for each in page["messages"]]) == (200, ["m-1"])
            none = await eve.ask("GET", "/api/rooms/g-none/messages")
            assert await eve.ask("GET", f"/api/rooms/{room}/messages") == none
            assert none[0] == 403


@pytest.mark.parametrize("kind", [PythonClient, JsClient])
async def test_whoever_is_removed_is_out_on_all_devices(stack: TestStack, kind: type[ParleyClient]) -> None:
    """Told so within two seconds, hears nothing more, and cannot say anything or come back; others go on."""
    ann, bob = await guest(stack), await guest(stack)
    room, other = await ann.group(bob), unique("public")
    async with on(ann) as anns, on(bob, 0, kind) as first, on(bob, 1, kind) as second:
        for each in (anns, first, second):
            await each.join(room)
            await each.join(other)
        await ann.remove(room, bob)
        for each in (first, second):
            await until(lambda each=each: removals(each) == [(room, "removed")], "to be told", seconds=SECONDS)  # type: ignore[misc]
        assert (await anns.say(room, "m-1"))["ok"]
        assert (await anns.say(other, "m-2"))["ok"]
        for each in (first, second):
            await until(lambda each=each: bool(each.messages(other)), "the public message")  # type: ignore[misc]
            assert not each.messages(room)
            assert (await each.say(room, "m-3"))["error"]["code"] == "not_joined"
            assert (await each.call("join", {"room": room}))["error"]["code"] == "forbidden"
        await ann.invite(room, bob)
        await first.join(room, after=0)
        assert [each["id"] for each in first.messages(room)] == ["m-1"]
        assert not removals(anns)


async def test_leaving_and_deleting_are_told_as_such(stack: TestStack) -> None:
    """`left` on the other devices of whoever leaves, `deleted` to all who were in."""
    ann, bob = await guest(stack), await guest(stack)
    room = await ann.group(bob)
    async with on(ann) as anns, on(bob, 1) as bobs:
        await anns.join(room)
        await bobs.join(room)
        await bob.remove(room, bob)
        await until(lambda: removals(bobs) == [(room, "left")], "to be told", seconds=SECONDS)
        assert (await ann.ask("DELETE", f"/api/rooms/{room}"))[0] == 204
        await until(lambda: removals(anns) == [(room, "deleted")], "to be told", seconds=SECONDS)
        assert (await anns.call("join", {"room": room}))["error"]["code"] == "forbidden"


async def test_a_removal_while_somebody_is_let_in(stack: TestStack) -> None:
    """Whenever it happens: at the end whoever is no member is not in, and was told of nothing that came after."""
    ann, bob = await guest(stack), await guest(stack)
    rng = random.Random(3)
    async with on(ann) as anns, on(bob, 1) as bobs:
        for _ in range(30):
            room = await ann.group(bob)
            await anns.join(room)
            joining = asyncio.create_task(bobs.call("join", {"room": room}))
            await asyncio.sleep(rng.random() * 0.01)
            await ann.remove(room, bob)
            assert (await anns.say(room, "after"))["ok"]
            ack = await joining
            if ack["ok"]:
                await until(lambda room=room: (room, "removed") in removals(bobs), "to be told", seconds=SECONDS)  # type: ignore[misc]
            else:
                assert ack["error"]["code"] == "forbidden"
            assert (await bobs.say(room, "m"))["error"]["code"] == "not_joined"
            assert not bobs.messages(room)


async def test_a_removal_while_somebody_is_told_what_they_missed(stack: TestStack) -> None:
    """However much that is: they are told no more of it."""
    ann, bob = await guest(stack), await guest(stack)
    room = await ann.group(bob)
    async with on(ann) as anns, on(bob, 1) as bobs:
        await anns.join(room)
        for number in range(60):
            assert (await anns.say(room, f"m-{number}", "x" * 16_000))["ok"]
        joining = asyncio.create_task(bobs.call("join", {"room": room, "after": 0}))
        await ann.remove(room, bob)
        ack = await joining
        assert not ack["ok"] or removals(bobs)
        assert (await bobs.call("join", {"room": room}))["error"]["code"] == "forbidden"


async def test_whoever_was_removed_meanwhile_is_not_recovered(stack: TestStack) -> None:
    """With rooms that are theirs still, and one that is not: a new session, and `forbidden` for that room."""
    ann, bob = await guest(stack), await guest(stack)
    room, kept = await ann.group(bob), await ann.direct(bob)
    async with RecoveringClient(stack.gateway_urls[0], bob.token) as bobs:
        await bobs.join(room)
        await bobs.join(kept)
        pid = bobs.pid
        await bobs.close_transport()
        await until(lambda: len(bobs.happened("connect")) == 2, "to be back")
        assert bobs.happened("connect")[-1]["recovered"]
        await ann.remove(room, bob)
        await until(lambda: removals(bobs) == [(room, "removed")], "to be told", seconds=SECONDS)

        async def is_recovered_without_it() -> bool:
            before = len(bobs.happened("connect"))
            await bobs.close_transport()
            await until(lambda: len(bobs.happened("connect")) == before + 1, "to be back")
            return bool(bobs.happened("connect")[-1]["recovered"])

        assert await is_recovered_without_it()
        assert bobs.pid == pid
        assert (await bobs.say(room, "m"))["error"]["code"] == "not_joined"
        assert (await bobs.say(kept, "m"))["ok"]


async def test_no_auth_service_no_private_rooms(own_stack: TestStack) -> None:
    """Those who are in go on; who wants to come in is told to try again; public rooms need nobody."""
    stack = own_stack
    ann, bob = await guest(stack), await guest(stack)
    room = await ann.group(bob)
    async with on(ann) as anns, on(bob, 1) as bobs:
        await anns.join(room)
        await stack.children["auth"].kill()
        answer: dict[str, Any] = await bobs.call("join", {"room": room})
        assert answer["error"]["code"] == "unavailable"
        assert (await anns.say(room, "m-1"))["ok"]
        await bobs.join(unique("public"))
