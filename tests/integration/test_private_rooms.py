"""Private rooms over HTTP, and who gets in over Socket.IO: two gateways, auth, and everything behind them."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.people import Person, guest
from tests.support.stacks import TestStack
from tests.support.waiting import until
from wire.membership import NOT_A_MEMBER

NO_SUCH = "g-" + "0" * 32


@pytest_asyncio.fixture(loop_scope="session")
async def three(stack: TestStack) -> list[Person]:
    """Ann, Bob and Cam."""
    return [await guest(stack) for _ in range(3)]


async def test_a_group_from_its_making_to_its_end(three: list[Person]) -> None:
    """As its members see it, at either gateway; to everybody else it is not tstack."""
    ann, bob, cam = three
    made = await ann.ask("POST", "/api/rooms", {"name": " Climbing ", "members": [bob.id]})
    assert made.status == 201
    room = made.body["room"]
    assert made.body == {
        "room": room,
        "kind": "group",
        "name": "Climbing",
        "owner": ann.id,
        "member_count": 2,
        "members": [{"id": ann.id, "display_name": ann.name}, {"id": bob.id, "display_name": bob.name}],
    }
    shown = {**made.body, "seq": 0, "read": 0, "unread": 0}
    assert await bob.ask("GET", f"/api/rooms/{room}", gateway=1) == (200, shown)
    assert await bob.ask("GET", "/api/rooms", gateway=1) == (200, {"rooms": [shown], "more": False})
    assert await bob.ask("GET", f"/api/rooms?after={room}") == (200, {"rooms": [], "more": False})
    assert (await cam.ask("GET", f"/api/rooms/{room}")).status == 403
    assert await cam.ask("GET", "/api/rooms") == (200, {"rooms": [], "more": False})
    # Bob invites, Ann renames, and sends one away; Bob is no owner.
    for _ in range(2):
        assert await bob.ask("PUT", f"/api/rooms/{room}/members/{cam.id}") == (204, None)
    assert await ann.ask("PATCH", f"/api/rooms/{room}", {"name": "Hiking"}) == (204, None)
    refused = await bob.ask("PATCH", f"/api/rooms/{room}", {"name": "Mine"})
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert refused.body["detail"] == "only the owner of a group may rename it"
    seen = (await cam.ask("GET", f"/api/rooms/{room}")).body
    assert (seen["name"], [each["display_name"] for each in seen["members"]]) == (
        "Hiking",
        [ann.name, bob.name, cam.name],
    )
    assert await ann.ask("DELETE", f"/api/rooms/{room}/members/{bob.id}") == (204, None)
    assert (await bob.ask("GET", f"/api/rooms/{room}")).status == 403
    # Ann leaves it to Cam, who ends it.
    assert await ann.ask("DELETE", f"/api/rooms/{room}/members/{ann.id}") == (204, None)
    assert (await cam.ask("GET", f"/api/rooms/{room}")).body["owner"] == cam.id
    assert await cam.ask("DELETE", f"/api/rooms/{room}") == (204, None)
    assert (await cam.ask("GET", f"/api/rooms/{room}")).body["detail"] == NOT_A_MEMBER


async def test_a_direct_conversation_is_the_same_room_whoever_opens_it(three: list[Person]) -> None:
    """However often; and it stays as it is."""
    ann, bob, cam = three
    opened = await ann.ask("POST", "/api/direct", {"user": bob.id})
    assert (opened.status, opened.body["kind"], opened.body["member_count"]) == (200, "direct", 2)
    assert {each["id"] for each in opened.body["members"]} == {ann.id, bob.id}
    assert await bob.ask("POST", "/api/direct", {"user": ann.id}, gateway=1) == opened
    room = opened.body["room"]
    for method, path, body in (
        ("PUT", f"/api/rooms/{room}/members/{cam.id}", None),
        ("DELETE", f"/api/rooms/{room}/members/{bob.id}", None),
        ("DELETE", f"/api/rooms/{room}/members/{ann.id}", None),
        ("PATCH", f"/api/rooms/{room}", {"name": "Us"}),
        ("DELETE", f"/api/rooms/{room}", None),
    ):
        answer = await ann.ask(method, path, body)
        assert (answer.status, answer.body["code"]) == (400, "invalid")
    assert (await ann.ask("POST", "/api/direct", {"user": ann.id})).status == 400


async def test_members_talk_and_others_neither_get_in_nor_read(stack: TestStack, three: list[Person]) -> None:
    """By Socket.IO through both gateways, and pages over HTTP; who is invited later reads what was said before."""
    ann, bob, cam = three
    room = await ann.group(bob)
    async with (
        PythonClient(stack.gateway_urls[0], ann.token) as anns,
        PythonClient(stack.gateway_urls[1], bob.token) as bobs,
        PythonClient(stack.gateway_urls[1], cam.token) as cams,
    ):
        assert (await anns.join(room))["ok"]
        assert (await bobs.join(room))["ok"]
        refused = await cams.call("join", {"room": room})
        assert refused == {"ok": False, "error": {"code": "forbidden", "message": NOT_A_MEMBER}}
        assert await cams.call("join", {"room": NO_SUCH}) == refused
        assert (await anns.say(room, "m1"))["ok"]
        await until(lambda: [each["id"] for each in bobs.messages(room)] == ["m1"], "Bob to be told")
        assert not cams.messages(room)
        foreign = await cam.ask("GET", f"/api/rooms/{room}/messages")
        assert (foreign.status, foreign.body["code"]) == (403, "forbidden")
        assert await cam.ask("GET", f"/api/rooms/{NO_SUCH}/messages") == foreign
        await bob.ask("PUT", f"/api/rooms/{room}/members/{cam.id}")
        page = await cam.ask("GET", f"/api/rooms/{room}/messages")
        assert [each["id"] for each in page.body["messages"]] == ["m1"]
        assert (await cams.join(room))["ok"]


async def test_what_is_sent_behind_a_join_of_a_private_room_waits_for_it(
    stack: TestStack, three: list[Person]
) -> None:
    """The gateway has to ask first whether it may be; a message that follows at once is in the room."""
    ann, _, _ = three
    room = await ann.group()
    async with PythonClient(stack.gateway_urls[0], ann.token) as client:
        joined, said = await asyncio.gather(client.call("join", {"room": room}), client.say(room, "m1"))
        assert joined["ok"]
        assert said["ok"], said


ROUTES = [
    ("GET", "/api/rooms/{room}", None),
    ("PATCH", "/api/rooms/{room}", {"name": "Mine"}),
    ("PATCH", "/api/rooms/{room}", {"name": "\n"}),
    ("DELETE", "/api/rooms/{room}", None),
    ("PUT", "/api/rooms/{room}/members/{bob}", None),
    ("PUT", "/api/rooms/{room}/members/{me}", None),
    ("PUT", "/api/rooms/{room}/members/u-nobody", None),
    ("DELETE", "/api/rooms/{room}/members/{bob}", None),
    ("DELETE", "/api/rooms/{room}/members/{me}", None),
    ("GET", "/api/rooms/{room}/messages", None),
    ("GET", "/api/rooms/{room}/messages?limit=7", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_not_a_member_and_no_such_room_are_alike(
    stack: TestStack, three: list[Person], method: str, path: str, body: Any
) -> None:
    """In all that is said, and in all that is asked behind it, on every route."""
    ann, bob, cam = three
    foreign = await ann.group(bob)
    direct = (await ann.ask("POST", "/api/direct", {"user": bob.id})).body["room"]
    answers, asked = [], []
    for room in (foreign, direct, NO_SUCH, "d-" + "0" * 32):
        before = await _asked(stack)
        answers.append(await cam.ask(method, path.format(room=room, bob=bob.id, me=cam.id), body))
        after = await _asked(stack)
        asked.append({kind: after[kind] - before[kind] for kind in after})
    assert [answers[0]] * 4 == answers
    assert [asked[0]] * 4 == asked
    leaves = (method, path) == ("DELETE", "/api/rooms/{room}/members/{me}")
    assert answers[0].status == (204 if leaves else 403)
    assert leaves or answers[0].body["detail"] == NOT_A_MEMBER
    assert sum(asked[0].values()) == 2, "whose token it is, and what was asked for"
    assert (await ann.ask("GET", f"/api/rooms/{foreign}")).body["member_count"] == 2


async def _asked(stack: TestStack) -> dict[str, float]:
    kinds = ["verify", *(f"rooms_{each}" for each in ("check", "get", "add", "remove", "rename", "delete", "list"))]
    return {each: await stack.metric("auth", "parley_auth_requests_total", kind=each) for each in kinds}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/rooms", None),
        ("POST", "/api/rooms", {}),
        ("POST", "/api/rooms", {"members": "u-1"}),
        ("POST", "/api/rooms", {"members": [{"$gt": ""}]}),
        ("POST", "/api/rooms", {"members": [7]}),
        ("POST", "/api/rooms", {"members": ["a.b"]}),
        ("POST", "/api/rooms", {"members": ["u-nobody"]}),
        ("POST", "/api/rooms", {"members": [], "name": ""}),
        ("POST", "/api/rooms", {"members": [], "name": {"$gt": ""}}),
        ("POST", "/api/rooms", {"members": [], "name": "a\u202eb"}),
        ("POST", "/api/rooms", {"members": [f"u-{number}" for number in range(1000)]}),
        ("POST", "/api/direct", {}),
        ("POST", "/api/direct", {"user": {"$gt": ""}}),
        ("POST", "/api/direct", {"user": "u-nobody"}),
        ("POST", "/api/direct", {"user": "x" * 65}),
        ("GET", "/api/rooms?after=a.b", None),
        ("GET", "/api/rooms?after=", None),
        ("GET", f"/api/rooms/{'g' * 65}", None),
        ("GET", "/api/rooms/g-%00", None),
        ("GET", "/api/rooms/%3E", None),
        ("GET", "/api/rooms/g-1%0a", None),
        ("PATCH", "/api/rooms/g-1", {"name": 7}),
        ("PATCH", "/api/rooms/g-1", None),
        ("PUT", "/api/rooms/g-1/members/$gt", None),
        ("PUT", "/api/rooms/*/members/u-1", None),
        ("DELETE", "/api/rooms/g-1/members/a%20b", None),
        ("DELETE", "/api/rooms/g%2F1", None),
    ],
)
async def test_bad_input_is_told(three: list[Person], method: str, path: str, body: Any) -> None:
    """Before anybody is asked whether there is such a room."""
    answer = await three[0].ask(method, path, body)
    assert (answer.status, answer.body["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("method", "path"), [(method, path.format(room="g-1", bob="u-1", me="u-2")) for method, path, _ in ROUTES]
)
async def test_nobody_asks_without_a_token(three: list[Person], method: str, path: str) -> None:
    """Whatever they ask."""
    stranger = Person(three[0].stack, "u-1", "X", "x.y.z")
    answer = await stranger.ask(method, path, {})
    assert (answer.status, answer.body["code"]) == (401, "unauthorized")


async def test_a_user_of_another_issuer_can_be_invited_once_seen(stack: TestStack, three: list[Person]) -> None:
    """As soon as a gateway has had a token of theirs verified."""
    ann, _, _ = three
    token = await stack.token()
    async with PythonClient(stack.gateway_urls[1], token) as client:
        user = client.of("session")[0]["user"]
        room = await ann.group()

        async def is_invited() -> bool:
            return (await ann.ask("PUT", f"/api/rooms/{room}/members/{user['id']}")).status == 204

        await until(is_invited, "the user to be known")
        assert (await client.join(room))["ok"]
        assert (await ann.ask("GET", f"/api/rooms/{room}")).body["members"][1] == {
            "id": user["id"],
            "display_name": user["display_name"],
        }
