"""Presence: who is in a room, on whichever gateways and devices."""

from contextlib import AsyncExitStack

from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.people import guest
from tests.support.presences import me, told, until_present
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

WEBSOCKET = ["websocket"]


async def _client(
    stack: TestStack, exits: AsyncExitStack, gateway: int, token: str = "", kind: type[ParleyClient] = PythonClient
) -> ParleyClient:
    url = stack.gateway_urls[gateway]
    return await exits.enter_async_context(kind(url, token or await stack.token(), transports=WEBSOCKET))


async def test_members_of_two_gateways_see_each_other_come_and_go(stack: TestStack) -> None:
    """With both official clients: who comes is told to those who are there, and not to itself; and all are listed."""
    room = unique("presence")
    async with AsyncExitStack() as exits:
        js = await _client(stack, exits, 0, kind=JsClient)
        await js.join(room)
        assert await js.call("presence", {"room": room}) == {
            "ok": True,
            "members": [{"id": me(js), "display_name": js.of("session")[0]["user"]["display_name"]}],
            "count": 1,
        }
        async with PythonClient(stack.gateway_urls[1], await stack.token(), transports=WEBSOCKET) as python:
            name = python.of("session")[0]["user"]["display_name"]
            await python.join(room)
            await until_present(python, room, {me(js), me(python)})
            await until(lambda: bool(js.of("presence")), "it to be told")
            assert js.of("presence") == [{"room": room, "user": me(python), "display_name": name, "state": "online"}]
            await until_present(js, room, {me(js), me(python)})
            assert python.of("presence") == [], "who was there before is listed, and does not come"
            other = me(python)
        await until(lambda: len(js.of("presence")) == 2, "it to be told that it is gone")
        assert told(js, room) == [(other, "online"), (other, "offline")]
        await until_present(js, room, {me(js)})


async def test_a_user_is_online_until_the_last_device_leaves(stack: TestStack) -> None:
    """On the same gateway or on two: one who comes, and one who goes, however many sockets."""
    room, token = unique("devices"), await stack.token()
    async with AsyncExitStack() as exits:
        watchers = [await _client(stack, exits, gateway) for gateway in (0, 1)]
        for each in watchers:
            await each.join(room)
        both = {me(each) for each in watchers}
        devices = [await _client(stack, exits, gateway, token) for gateway in (0, 1, 1)]
        for each in devices:
            await each.join(room)
            await each.join(room)  # again, which changes nothing
        user = me(devices[0])
        for each in (*watchers, *devices):
            await until_present(each, room, both | {user})
        await devices[0].call("leave", {"room": room})
        await devices[1].call("leave", {"room": room})
        for each in (*watchers, devices[2]):
            await until_present(each, room, both | {user})
        await devices[2].call("leave", {"room": room})
        for watcher in watchers:
            others = both - {me(watcher)}
            await until(lambda w=watcher: told(w, room)[-1:] == [(user, "offline")], "the end")  # type: ignore[misc]
            assert [each for each in told(watcher, room) if each[0] not in others] == [
                (user, "online"),
                (user, "offline"),
            ]


async def test_who_is_present_is_for_members_alone(stack: TestStack) -> None:
    """Whoever has not joined is refused; whoever is put out of a private room is told nothing more of it."""
    ann, bob = await guest(stack), await guest(stack)
    room = await ann.group(bob)
    async with AsyncExitStack() as exits:
        anns = await _client(stack, exits, 0, ann.token)
        bobs = await _client(stack, exits, 1, bob.token)
        assert (await bobs.call("presence", {"room": room}))["error"]["code"] == "not_joined"
        await anns.join(room)
        await bobs.join(room)
        await until(lambda: told(anns, room) == [(bob.id, "online")], "ann to be told of bob")
        await ann.remove(room, bob)
        await until(lambda: told(anns, room)[1:] == [(bob.id, "offline")], "ann to be told that bob is out")
        await until_present(anns, room, {ann.id})
        assert (await bobs.call("presence", {"room": room}))["error"]["code"] == "not_joined"
        before = told(bobs, room)
        other = await _client(stack, exits, 1, ann.token)
        await anns.call("leave", {"room": room})
        await other.join(room)
        await until_present(other, room, {ann.id})
        assert told(bobs, room) == before


async def test_a_gateway_without_members_hears_nothing(stack: TestStack) -> None:
    """Whoever comes and goes in a room of gateway 1 leaves gateway 2's counters where they were."""
    room = unique("foreign")

    async def heard() -> float:
        kinds = ("changed", "asked", "snapshot")
        counts = [await stack.metric("gateway-2", "parley_gateway_presence_heard_total", kind=each) for each in kinds]
        return sum(counts)

    async with AsyncExitStack() as exits:
        watcher = await _client(stack, exits, 0)
        await watcher.join(room)
        before = await heard()
        client = await _client(stack, exits, 0)
        for number in range(20):
            await client.join(room)
            await until(lambda n=number: len(told(watcher, room)) == 2 * n + 1, "it to come")  # type: ignore[misc]
            await client.call("leave", {"room": room})
            await until(lambda n=number: len(told(watcher, room)) == 2 * n + 2, "it to go")  # type: ignore[misc]
        assert await heard() == before
