"""Notifications from a backend to all devices of a user, wherever they are, and to those who come later."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from tests.support.backends import Backend, backend
from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.paused import paused
from tests.support.people import Answer, Person, guest
from tests.support.stacks import TestStack
from tests.support.waiting import until

STORM: Final = 120
QUESTIONS: Final = "parley_gateway_notification_questions_total"


@pytest_asyncio.fixture(scope="module", loop_scope="session", name="billing")
async def _billing(stack: TestStack) -> Backend:
    return await backend(stack, "notify")


async def _notify(billing: Backend, user: str, *, gateway: int = 0, **body: Any) -> Answer:
    return await billing.post(f"/api/users/{user}/notifications", body, gateway=gateway)


def _device(person: Person, gateway: int = 0, **options: Any) -> PythonClient:
    return PythonClient(person.stack.gateway_urls[gateway], person.token, **options)


def _shown(client: ParleyClient) -> list[Any]:
    """What a client shows, which knows what it was told before by its id."""
    return list({each["id"]: each for each in client.of("notification")}.values())


def _ids(client: ParleyClient) -> list[str]:
    return [each["id"] for each in _shown(client)]


async def _told(client: ParleyClient, *ids: str) -> None:
    await until(lambda: set(ids) <= set(_ids(client)), f"{ids} to be told")


async def test_all_devices_are_told_at_once_and_nobody_else(stack: TestStack, billing: Backend) -> None:
    """On both gateways, over both transports, as it was sent: what looks like HTML is text like any other."""
    ann, bob = await guest(stack), await guest(stack)
    said: dict[str, Any] = {
        "title": "<img src=x onerror=alert(1)>",
        "body": "</script>\u202e",
        "data": {"<b>": [1, None, "&"]},
    }
    async with (
        _device(ann) as one,
        _device(ann, 1, transports=["polling"]) as two,
        JsClient(stack.gateway_urls[1], ann.token) as three,
        _device(bob) as other,
    ):
        status, notified = await _notify(billing, ann.id, id="n-1", **said)
        assert (status, notified) == (202, {"id": "n-1", "ts": notified["ts"], "duplicate": False})
        status, made = await _notify(billing, ann.id, gateway=1, title="no id")
        assert status == 202
        for client in (one, two, three):
            await _told(client, "n-1", made["id"])
            first, second = _shown(client)
            assert first == {"id": "n-1", "ts": notified["ts"], **said}
            assert second == {"id": made["id"], "ts": made["ts"], "title": "no id"}
        await _notify(billing, bob.id, id="n-2", title="Hi")
        await _told(other, "n-2")
        assert _ids(other) == ["n-2"]


async def test_who_was_away_is_told_at_each_connect_until_it_is_dismissed(stack: TestStack, billing: Backend) -> None:
    """Oldest first; what one device dismisses is gone from the others, and at the next connect, at any gateway."""
    ann = await guest(stack)
    for at in range(3):
        assert (await _notify(billing, ann.id, gateway=at % 2, id=f"n-{at}", title="Hi")).status == 202
    async with _device(ann) as phone, _device(ann, 1) as desk:
        for client in (phone, desk):
            await _told(client, "n-0", "n-1", "n-2")
            assert _ids(client) == ["n-0", "n-1", "n-2"]
        assert await phone.call("dismiss", {"id": "n-1"}) == {"ok": True}
        await until(lambda: desk.of("dismissed") == [{"id": "n-1"}], "the other to hear")
        assert await phone.call("dismiss", {"id": "n-1"}) == {"ok": True}
        assert await phone.call("dismiss", {"id": "nothing"}) == {"ok": True}
        assert not phone.of("dismissed")
    async with _device(ann, 1) as again:
        await _told(again, "n-0", "n-2")
        assert _ids(again) == ["n-0", "n-2"]


async def test_the_same_id_is_the_same_notification(stack: TestStack, billing: Backend) -> None:
    """However often its backend retries, at whichever gateway; once it is dismissed it is not told again."""
    ann = await guest(stack)
    async with _device(ann) as phone:
        answers = await asyncio.gather(
            *(_notify(billing, ann.id, gateway=at % 2, id="n-1", title="Hi") for at in range(8))
        )
        assert sorted(each.body["duplicate"] for each in answers) == [False] + [True] * 7
        assert len({each.body["ts"] for each in answers}) == 1
        await _told(phone, "n-1")
        shown = phone.of("notification")
        assert all(each == shown[0] for each in shown)
        # Whoever stored it may have died before it told: as long as it is kept, it is told again.
        count = len(phone.of("notification"))
        assert (await _notify(billing, ann.id, id="n-1", title="Other")).body["duplicate"]
        await until(lambda: len(phone.of("notification")) > count, "it to be told again")
        assert _shown(phone) == [shown[0]]
        assert (await phone.call("dismiss", {"id": "n-1"}))["ok"]
    async with _device(ann) as later:
        status, again = await _notify(billing, ann.id, id="n-1", title="Other")
        assert (status, again) == (202, {**answers[0].body, "duplicate": True})
        await _notify(billing, ann.id, id="n-2", title="Hi")
        await _told(later, "n-2")
        assert _ids(later) == ["n-2"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"title": ""}, 400, "invalid"),
        ({"title": " \n"}, 400, "invalid"),
        ({"title": {"$gt": ""}}, 400, "invalid"),
        ({"title": "x", "id": "a b"}, 400, "invalid"),
        ({"title": "x", "body": ""}, 400, "invalid"),
        ({"title": "x" * 257}, 413, "too_large"),
        ({"title": "x", "body": "é" * 1_025}, 413, "too_large"),
        ({"title": "x", "data": "x" * 2_048}, 413, "too_large"),
        ({"title": "x", "body": "\0" * 2_000}, 413, "too_large"),
        ({"title": "\U0001f600" * 256, "body": "x" * 2_048, "data": "x" * 2_046}, 202, None),
    ],
    ids=lambda each: repr(each)[:40],
)
async def test_what_may_be_in_it_is_bounded(
    stack: TestStack, billing: Backend, body: dict[str, Any], status: int, code: str | None
) -> None:
    """A problem with a code, and nothing is kept."""
    ann = await guest(stack)
    answer = await _notify(billing, ann.id, **body)
    assert (answer.status, answer.body.get("code")) == (status, code)
    if code is not None:
        await _notify(billing, ann.id, id="after", title="Hi")
        async with _device(ann) as device:
            await _told(device, "after")
            assert _ids(device) == ["after"]


async def test_a_token_has_to_be_good_and_for_this(stack: TestStack, billing: Backend) -> None:
    """A user's is none; another scope's is forbidden, a revoked one's good for nothing."""
    ann = await guest(stack)
    publisher, leaving = await backend(stack, "publish,disconnect"), await backend(stack, "notify")
    assert (await _notify(leaving, ann.id, title="Hi")).status == 202
    await leaving.revoke()
    user = Backend(stack, "ann", ann.token)
    for who, status in ((publisher, 403), (leaving, 401), (user, 401)):
        assert (await _notify(who, ann.id, title="Hi")).status == status
    assert (await billing.post("/api/users/a.b/notifications", {"title": "Hi"})).status == 400
    url = f"{stack.gateway_urls[0]}/api/users/{ann.id}/notifications"
    async with aiohttp.ClientSession() as http, http.post(url, json={"title": "Hi"}) as nobody:
        assert nobody.status == 401


async def test_bad_dismissals_get_a_clear_error(stack: TestStack) -> None:
    """And a connection lives on."""
    async with _device(await guest(stack)) as device:
        bad: list[Any] = [{}, {"id": "a b"}, {"id": {"$gt": ""}}, {"id": None}, []]
        for payload in bad:
            assert (await device.call("dismiss", payload))["error"]["code"] == "invalid"
        assert (await device.call("dismiss", {"id": "n"}))["ok"]


async def test_a_storm_of_connects_is_no_storm_of_questions(stack: TestStack, billing: Backend) -> None:
    """Hundreds that come while history does not answer wait for few questions; each is told what is theirs alone."""
    tokens = await stack.mint(STORM)
    users = [f"load-{number}" for number in range(1, STORM + 1)]
    for user in users[:: STORM // 10]:
        assert (await _notify(billing, user, id=f"for-{user}", title="Hi")).status == 202
    before = await stack.metric("gateway-1", QUESTIONS)
    async with AsyncExitStack() as exits:
        options: dict[str, Any] = {"transports": ["websocket"]}
        clients = [PythonClient(stack.gateway_urls[0], each, **options) for each in tokens]
        async with paused(stack.children["history"]):
            for start in range(0, STORM, 40):  # this process has one core for all of them
                await asyncio.gather(*map(exits.enter_async_context, clients[start : start + 40]))
        for user, client in list(zip(users, clients, strict=True))[:: STORM // 10]:
            await _told(client, f"for-{user}")
        assert sum(len(_ids(client)) for client in clients) == 10
        asked = await stack.metric("gateway-1", QUESTIONS) - before
        assert 0 < asked <= STORM / 3
        for user, client in list(zip(users, clients, strict=True))[:: STORM // 10]:
            await client.call("dismiss", {"id": f"for-{user}"})


async def test_history_dies_and_nats_is_cut_off_and_nothing_is_lost(own_stack: TestStack) -> None:
    """What was answered 202 is told to whoever stays, and to whoever comes while nobody answers; without it, 503."""
    stack = own_stack
    billing, ann, bob = await backend(stack, "notify"), await guest(stack), await guest(stack)
    history, nats = stack.children["history"], stack.children["nats"]
    async with _device(ann) as phone:
        assert (await _notify(billing, ann.id, id="n-1", title="Hi")).status == 202
        assert (await _notify(billing, bob.id, id="n-1", title="Hi")).status == 202
        await history.kill()
        refused = await _notify(billing, ann.id, id="n-2", title="Hi")
        assert (refused.status, refused.body["code"]) == (503, "unavailable")
        assert (await phone.call("dismiss", {"id": "n-1"}))["error"]["code"] == "unavailable"
        async with _device(bob, 1) as waits:
            asked = {"name": QUESTIONS, "result": "unavailable"}
            await until(lambda: _has_failed(stack, **asked), "history to have been asked")
            await history.start()
            await _told(waits, "n-1")
            assert (await _notify(billing, ann.id, id="n-2", title="Hi")).status == 202
            await _told(phone, "n-2")
            assert (await phone.call("dismiss", {"id": "n-1"}))["ok"]

            # One that is kept while this gateway cannot hear it: whoever kept it has died before it told.
            count = len(phone.of("notification"))
            await nats.kill()
            assert (await _notify(billing, ann.id, id="n-3", title="Hi")).status == 503
            await nats.start()
            await until(lambda: len(phone.of("notification")) > count, "what is kept to be told again")
            assert {each["id"] for each in phone.of("notification")[count:]} == {"n-2"}
            await until(lambda: stack.is_ready("gateway-1"), "the gateway to be ready")
            assert (await _notify(billing, ann.id, id="n-3", title="Hi")).status == 202
            await _told(phone, "n-3")


async def _has_failed(stack: TestStack, name: str, **labels: str) -> bool:
    return await stack.metric("gateway-2", name, **labels) > 0
