"""Saying something over HTTP, as a user and as a backend: the same path and guarantees as a client's message."""

import asyncio
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.support.backends import Backend, backend
from tests.support.clients.parley import PythonClient
from tests.support.people import guest
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="billing")
async def _billing(stack: TestStack) -> Backend:
    return await backend(stack, "publish")


async def test_what_a_backend_says_is_a_message_like_any_other(stack: TestStack, billing: Backend) -> None:
    """Seen at both gateways and in history, from the backend; the same id again is the same message, anywhere."""
    room, said = unique("room"), unique("invoice")
    data = {"total": 12.5, "lines": [1, None]}
    async with (
        PythonClient(stack.gateway_urls[0], await stack.token()) as one,
        PythonClient(stack.gateway_urls[1], await stack.token()) as two,
    ):
        await one.join(room)
        await two.join(room)
        status, sent = await billing.say(room, said, "Paid", data=data)
        assert (status, sent.keys(), sent["duplicate"]) == (201, {"seq", "ts", "duplicate"}, False)
        assert await billing.say(room, said, "Paid twice", gateway=1) == (201, {**sent, "duplicate": True})
        status, after = await billing.say(room, unique("invoice"), gateway=1)
        assert status == 201
        for client in (one, two):
            await until(lambda c=client: len(c.messages(room)) == 2, "both, once")  # type: ignore[misc]
            heard = client.messages(room)[0]
            assert heard["from"] == {"id": f"svc-{billing.name}", "display_name": billing.name}
            assert (heard["id"], heard["body"], heard["data"]) == (said, "Paid", data)
            assert (heard["seq"], heard["ts"]) == (sent["seq"], sent["ts"])
            assert client.messages(room)[1]["prev"] == sent["seq"] < after["seq"]
        page = await one.call("history", {"room": room})
        assert page["messages"] == one.messages(room)


async def test_what_a_backend_says_one_after_the_other_keeps_its_order(stack: TestStack, billing: Backend) -> None:
    """At whichever gateway; at once in any order, but each once."""
    room = unique("order")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as member:
        await member.join(room)
        seqs = [(await billing.say(room, f"m{at}", gateway=at % 2)).body["seq"] for at in range(10)]
        assert seqs == sorted(seqs)
        many = await asyncio.gather(*(billing.say(room, f"x{at % 20}", gateway=at % 2) for at in range(40)))
        assert {each.status for each in many} == {201}
        await until(lambda: len(member.messages(room)) == 30, "all of them")
        assert [each["id"] for each in member.messages(room)[:10]] == [f"m{at}" for at in range(10)]
        assert len({each["id"] for each in member.messages(room)}) == 30


async def test_a_user_says_something_without_a_connection(stack: TestStack) -> None:
    """As themselves; the id is shared with what they send as a client."""
    person, room = await guest(stack), unique("room")
    message = {"id": "m1", "body": "hello"}
    status, sent = await person.ask("POST", f"/api/rooms/{room}/messages", message)
    assert (status, sent["duplicate"]) == (201, False)
    async with PythonClient(stack.gateway_urls[1], person.token) as client:
        await client.join(room)
        ack = await client.say(room, "m1", "hello")
        assert (ack["seq"], ack["ts"], ack["duplicate"]) == (sent["seq"], sent["ts"], True)
        page = await client.call("history", {"room": room})
        assert [each["from"]["id"] for each in page["messages"]] == [person.id]


async def test_private_rooms_are_for_members_and_for_backends(stack: TestStack, billing: Backend) -> None:
    """A backend says something in those that are there; to everybody else it is not there, whatever it is."""
    ann, bob, eve = [await guest(stack) for _ in range(3)]
    group, direct = await ann.group(bob), await ann.direct(bob)
    message = {"id": "m1", "body": "hello"}
    for room in (group, direct):
        assert (await bob.ask("POST", f"/api/rooms/{room}/messages", message)).status == 201
        assert (await billing.say(room, "m1")).status == 201
        status, foreign = await eve.ask("POST", f"/api/rooms/{room}/messages", message)
        assert (status, foreign["code"]) == (403, "forbidden")
        page = (await ann.ask("GET", f"/api/rooms/{room}/messages")).body
        assert [each["from"]["id"] for each in page["messages"]] == [bob.id, f"svc-{billing.name}"]
    nowhere = await billing.say("g-" + "0" * 32, "m1")
    assert nowhere == (403, foreign)
    await ann.ask("DELETE", f"/api/rooms/{group}")
    assert await billing.say(group, "m2") == nowhere


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/rooms/lobby/messages", {"id": "m"}, 400, "invalid"),
        ("/api/rooms/lobby/messages", {"body": "x"}, 400, "invalid"),
        ("/api/rooms/lobby/messages", {"id": "a b", "body": "x"}, 400, "invalid"),
        ("/api/rooms/lobby/messages", {"id": "m", "body": ""}, 400, "invalid"),
        ("/api/rooms/lobby/messages", {"id": "m", "body": {"$gt": ""}}, 400, "invalid"),
        ("/api/rooms/lobby/messages", b"[]", 400, "invalid"),
        ("/api/rooms/lobby/messages", b"{", 400, "invalid"),
        ("/api/rooms/a.b/messages", {"id": "m", "body": "x"}, 400, "invalid"),
        ("/api/rooms/lobby/messages", {"id": "m", "body": "x" * 16_385}, 413, "too_large"),
        ("/api/rooms/lobby/messages", {"id": "m", "body": "x", "data": "x" * 16_384}, 413, "too_large"),
        ("/api/rooms/lobby/messages", b"x" * 70_000, 413, "too_large"),
    ],
    ids=lambda each: repr(each)[:40],
)
async def test_bad_input_gets_a_clear_error(billing: Backend, path: str, body: Any, status: int, code: str) -> None:
    """A problem with a code, and nothing was stored."""
    answer = await billing.post(path, body)
    assert (answer.status, answer.body["status"], answer.body["code"]) == (status, status, code)


async def test_a_token_has_to_be_good_and_for_this(stack: TestStack, billing: Backend) -> None:
    """None, garbage, another scope, a revoked one: told apart as for other routes."""
    notifier, leaving = await backend(stack, "notify,disconnect"), await backend(stack, "publish")
    assert (await leaving.say(unique("room"), "m")).status == 201
    await leaving.revoke()
    garbage = Backend(stack, "nobody", "pst_" + "A" * 43)
    for who, status, code in (
        (notifier, 403, "forbidden"),
        (leaving, 401, "unauthorized"),
        (garbage, 401, "unauthorized"),
        (Backend(stack, "nobody", "garbage"), 401, "unauthorized"),
    ):
        answer = await who.say("lobby", "m")
        assert (answer.status, answer.body["code"]) == (status, code)
    url = f"{stack.gateway_urls[0]}/api/rooms/lobby/messages"
    async with aiohttp.ClientSession() as http, http.post(url, json={"id": "m", "body": "x"}) as nobody:
        assert nobody.status == 401
    assert (await billing.say("lobby", unique("m"))).status == 201
    assert await stack.metric("gateway-1", "parley_gateway_posts_total", by="service", result="ok") > 0
