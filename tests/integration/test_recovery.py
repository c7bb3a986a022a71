"""Connection state recovery with the official JavaScript client: rooms and messages come back without a join."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.ports import HOST
from tests.support.clients.javascript import OldestJavaScriptClient
from tests.support.clients.parley import JsClient, PythonClient
from tests.support.clients.recovering import RecoveringClient
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until


@asynccontextmanager
async def _client(stack: TestStack, **auth: str) -> AsyncIterator[tuple[RecoveringClient, Proxy]]:
    """A client of gateway 1, behind a proxy that can lead it elsewhere."""
    token = auth.pop("token", "") or await stack.token()
    async with (
        Proxy(stack.ports.gateway_1) as proxy,
        RecoveringClient(f"http://{HOST}:{proxy.port}", token, **auth) as client,
    ):
        yield client, proxy


@asynccontextmanager
async def _speaker(stack: TestStack, *rooms: str) -> AsyncIterator[PythonClient]:
    """Somebody on gateway 2, in `rooms`."""
    async with PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"]) as speaker:
        for room in rooms:
            await speaker.join(room)
        yield speaker


async def _say(speaker: PythonClient, bodies: list[str], *rooms: str) -> None:
    """Say each of `bodies`, in `rooms` in turn."""
    for number, body in enumerate(bodies):
        assert (await speaker.say(rooms[number % len(rooms)], body, body))["ok"]


async def _hears(client: RecoveringClient, count: int) -> None:
    """It has, or gets, the first `count` of all that was said, once and in order."""
    await until(lambda: len(client.bodies) >= count, "all that was said")
    assert client.bodies == _numbers(0, count)


def _numbers(start: int, end: int) -> list[str]:
    return [f"m{number}" for number in range(start, end)]


async def _outcomes(stack: TestStack, outcome: str) -> float:
    return sum(
        [
            await stack.metric(each, "parley_gateway_recoveries_total", outcome=outcome)
            for each in ("gateway-1", "gateway-2")
        ]
    )


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_broken_connection_gets_rooms_and_messages_back(stack: TestStack, elsewhere: bool) -> None:  # noqa: FBT001
    """At the same gateway and at another: once, in order over all rooms, and then live; nothing was joined again."""
    rooms = [unique("recovered") for _ in range(3)]
    async with _client(stack) as (client, proxy), _speaker(stack, *rooms) as speaker:
        for room in rooms:
            await client.join(room)
        before = await _outcomes(stack, "recovered")
        await _say(speaker, _numbers(0, 10), *rooms)
        await until(lambda: client.bodies == _numbers(0, 10), "what was said before")
        proxy.lead_to()
        await _say(speaker, _numbers(10, 40), *rooms)
        proxy.lead_to(stack.ports.gateway_2 if elsewhere else stack.ports.gateway_1)
        assert await client.came_back()
        assert client.of("session")[1]["gateway"] == ("gateway-2" if elsewhere else "gateway-1")
        await _say(speaker, _numbers(40, 50), *rooms)
        await until(lambda: len(client.bodies) >= 50, "all that was said")
        assert client.bodies == _numbers(0, 50)
        assert await _outcomes(stack, "recovered") == before + 1
        assert (await client.say(rooms[0], "own", "own"))["ok"]  # it is a member


async def test_it_costs_a_read_for_each_room_in_which_something_was_missed(stack: TestStack) -> None:
    """However much was said meanwhile in rooms that are not the client's, and in however many rooms it is."""
    rooms, foreign = [unique("own") for _ in range(5)], unique("foreign")

    async def reads() -> float:
        metric, sources = "parley_gateway_resume_reads_total", ("history", "stream", "memory")
        return sum([await stack.metric("gateway-2", metric, source=source) for source in sources])

    async with _client(stack) as (client, proxy), _speaker(stack, *rooms, foreign) as speaker:
        for room in rooms:
            await client.join(room)
        proxy.lead_to()
        await _say(speaker, _numbers(0, 300), foreign)
        await _say(speaker, ["missed-0", "missed-1"], *rooms[:2])
        before = await reads()
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await until(lambda: client.bodies == ["missed-0", "missed-1"], "what was missed")
        assert await reads() - before == 2


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
async def test_it_works_over_polling(stack: TestStack, transports: list[str]) -> None:
    """Also for a client that goes on to a WebSocket."""
    room = unique("polling")
    async with Proxy(stack.ports.gateway_1) as proxy, _speaker(stack, room) as speaker:
        client = RecoveringClient(f"http://{HOST}:{proxy.port}", await stack.token())
        client.options["transports"] = transports
        async with client:
            await client.join(room)
            await _say(speaker, _numbers(0, 40), room)
            await _hears(client, 40)
            proxy.lead_to()
            await _say(speaker, _numbers(40, 80), room)
            proxy.lead_to(stack.ports.gateway_2)
            assert await client.came_back()
            await _say(speaker, _numbers(80, 90), room)
            await _hears(client, 90)


async def test_a_client_older_than_recovery_is_as_well_off_as_without(stack: TestStack) -> None:
    """If it opts in by mistake: it gets a second argument and no messages twice; if it does not, it gets one."""
    room = unique("oldest")
    url, tokens = stack.gateway_urls[0], [await stack.token(), await stack.token()]
    async with (
        OldestJavaScriptClient(url, auth={"token": tokens[0], "recover": True}) as mistaken,
        OldestJavaScriptClient(url, auth={"token": tokens[1]}) as plain,
        _speaker(stack, room) as speaker,
    ):
        for client in (mistaken, plain):
            ((ack,),) = [await client.ask("join", {"room": room})]
            assert ack["ok"]
        await _say(speaker, _numbers(0, 10), room)
        for client, arguments in ((mistaken, 2), (plain, 1)):
            await until(lambda client=client: len(client.heard("message")) >= 10, "all that was said")  # type: ignore[misc]
            assert [each[0]["body"] for each in client.heard("message")] == _numbers(0, 10)
            assert {len(each) for each in client.heard("message")} == {arguments}


async def test_prev_has_no_hole_over_a_recovery(stack: TestStack) -> None:
    """Each message names the one before it in its room, as it does live."""
    rooms = [unique("prev") for _ in range(2)]
    async with _client(stack) as (client, proxy), _speaker(stack, *rooms) as speaker:
        for room in rooms:
            await client.join(room)
        await _say(speaker, _numbers(0, 4), *rooms)
        proxy.lead_to()
        await _say(speaker, _numbers(4, 8), *rooms)
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await _say(speaker, _numbers(8, 12), *rooms)
        await until(lambda: len(client.bodies) >= 12, "all that was said")
        for room in rooms:
            messages = client.messages(room)
            assert [each["prev"] for each in messages] == [0, *[each["seq"] for each in messages[:-1]]]


async def test_it_works_before_the_first_event(stack: TestStack) -> None:
    """No message has come yet, so the client has no offset; what was said before it joined is not told."""
    room = unique("first")
    async with _client(stack) as (client, proxy), _speaker(stack, room) as speaker:
        await _say(speaker, ["before"], room)
        await client.join(room)
        proxy.lead_to()
        await _say(speaker, _numbers(0, 3), room)
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await until(lambda: len(client.bodies) >= 3, "what was missed")
        assert client.bodies == _numbers(0, 3)


async def test_it_works_again_and_again(stack: TestStack) -> None:
    """With something missed each time, with nothing, and with something live between."""
    rooms, said = [unique("again") for _ in range(2)], 0
    async with _client(stack) as (client, proxy), _speaker(stack, *rooms) as speaker:
        for room in rooms:
            await client.join(room)
        for times in range(1, 7):
            proxy.lead_to()
            missed = 3 * (times % 2)
            await _say(speaker, _numbers(said, said + missed), *rooms)
            said += missed
            proxy.lead_to((stack.ports.gateway_1, stack.ports.gateway_2)[times % 2])
            assert await client.came_back(times=times)
            if times > 3:
                await _say(speaker, _numbers(said, said + 2), *rooms)
                said += 2
                await _hears(client, said)
        await _hears(client, said)


@pytest.mark.parametrize("seed", range(3))
async def test_a_recovery_that_breaks_goes_on_where_it_stopped(stack: TestStack, seed: int) -> None:
    """The connection is cut after some of what is told, time and again, until all is there."""
    rooms = [unique("broken") for _ in range(3)]
    everything = _numbers(0, 120)
    async with _client(stack) as (client, proxy), _speaker(stack, *rooms) as speaker:
        for room in rooms:
            await client.join(room)
        await _say(speaker, everything[:5], *rooms)
        await until(lambda: client.bodies == everything[:5], "what was said before")
        proxy.lead_to()
        await _say(speaker, everything[5:], *rooms)
        proxy.lead_to((stack.ports.gateway_1, stack.ports.gateway_2)[seed % 2], passing=4000 + 137 * seed)
        await until(lambda: len(client.bodies) >= len(everything), "all that was said")
        assert client.bodies == everything
        connects = client.happened("connect")
        assert len(connects) > 4
        assert all(each["recovered"] for each in connects[1:])


async def test_what_a_join_told_is_not_told_again(stack: TestStack) -> None:
    """A join with `after` tells what came since; whoever breaks after that has it."""
    room = unique("after")
    async with _client(stack) as (client, proxy), _speaker(stack, room) as speaker:
        await _say(speaker, _numbers(0, 5), room)
        assert (await client.join(room, after=0))["missed"] == 5
        proxy.lead_to()
        await _say(speaker, _numbers(5, 8), room)
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await until(lambda: len(client.bodies) >= 8, "what was missed")
        assert client.bodies == _numbers(0, 8)


async def test_a_room_that_was_left_does_not_come_back(stack: TestStack) -> None:
    """Nor does what was said there; and one that was left and joined again begins where it was joined again."""
    left, again = unique("left"), unique("left")
    async with _client(stack) as (client, proxy), _speaker(stack, left, again) as speaker:
        await client.join(left)
        await client.join(again)
        assert (await client.call("leave", {"room": left}))["ok"]
        assert (await client.call("leave", {"room": again}))["ok"]
        await _say(speaker, ["meanwhile"], again)
        await client.join(again)
        proxy.lead_to()
        await _say(speaker, _numbers(0, 4), left, again)
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await until(lambda: len(client.bodies) >= 2, "what was missed")
        assert client.bodies == ["m1", "m3"]
        assert (await client.say(left, "own"))["error"]["code"] == "not_joined"


async def test_more_than_can_be_told_is_not_recovered(stack: TestStack) -> None:
    """501 messages: a new session, in which the client joins by itself, with `after`."""
    rooms = [unique("much") for _ in range(2)]
    async with _client(stack) as (client, proxy), _speaker(stack, *rooms) as speaker:
        for room in rooms:
            await client.join(room)
        before = await _outcomes(stack, "too_much")
        proxy.lead_to()
        await _say(speaker, _numbers(0, 501), *rooms)
        pid = client.pid
        proxy.lead_to(stack.ports.gateway_2)
        assert not await client.came_back()
        assert client.pid != pid
        assert client.bodies == []
        assert await _outcomes(stack, "too_much") == before + 1
        assert [(await client.join(room, after=0))["missed"] for room in rooms] == [251, 250]


async def test_a_session_is_its_users_own(stack: TestStack) -> None:
    """Another user who knows the pid gets a new session; the one whose it is still gets theirs."""
    room = unique("own")
    async with _client(stack) as (client, proxy), _speaker(stack, room) as speaker:
        await client.join(room)
        proxy.lead_to()
        await _say(speaker, ["secret"], room)
        async with RecoveringClient(stack.gateway_urls[0], await stack.token(), pid=client.pid) as thief:
            assert thief.pid != client.pid
            assert (await thief.say(room, "m"))["error"]["code"] == "not_joined"
            assert thief.bodies == []
        proxy.lead_to(stack.ports.gateway_2)
        assert await client.came_back()
        await until(lambda: client.bodies == ["secret"], "what was missed")


@pytest.mark.parametrize("auth", [{"pid": "nobody-ever-had-this"}, {"pid": "a.b *"}, {"pid": ""}])
async def test_a_pid_that_is_none_gets_a_new_session(stack: TestStack, auth: dict[str, str]) -> None:
    """Stale, invented, or from another server: the client is let in."""
    async with _client(stack, **auth) as (client, _):
        assert client.pid not in {"", auth["pid"]}


@pytest.mark.parametrize("pid", ["*", ">", "a b", "x\r\nPUB x 0\r\n"])
async def test_a_pid_cannot_stand_for_others(stack: TestStack, pid: str) -> None:
    """Neither a wildcard of NATS, which would find a session that was put last, nor anything that is no id."""
    room, token = unique("wild"), await stack.token()
    before = await _outcomes(stack, "malformed")
    async with _client(stack, token=token) as (client, _):
        await client.join(room)
        async with RecoveringClient(stack.gateway_urls[0], token, pid=pid) as other:
            assert other.pid not in {pid, client.pid}
        assert await _outcomes(stack, "malformed") == before + 1


async def test_an_offset_that_is_none_gets_a_new_session(stack: TestStack) -> None:
    """Whatever was sent for one; the session that was asked for stays as it was."""
    room, token = unique("offset"), await stack.token()
    async with _client(stack, token=token) as (client, proxy):
        await client.join(room)
        proxy.lead_to()
        for offset in ("x", "aaaa-1", "aaaazz", "1" * 40, "aaaa1.b"):
            async with RecoveringClient(stack.gateway_urls[0], token, pid=client.pid, offset=offset) as other:
                assert other.pid != client.pid
        proxy.lead_to(stack.ports.gateway_1)
        assert await client.came_back()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_the_end_of_a_transport_is_not_the_end_of_a_session(stack: TestStack, transport: str) -> None:
    """A client that polls says that its transport ends, for whatever reason it does; then it comes back."""
    room, token = unique("transport"), await stack.token()
    async with RecoveringClient(stack.gateway_urls[0], token, transport=transport) as client:
        await client.is_connected()
        await client.join(room)
        await client.close_transport()
        assert await client.came_back()
        assert (await client.say(room, "m"))["ok"]


async def test_an_offset_above_everything_gets_a_new_session(stack: TestStack) -> None:
    """Nobody has told the client of that; it would never be told anything again."""
    room, token = unique("above"), await stack.token()
    async with _client(stack, token=token) as (client, _), _speaker(stack, room) as speaker:
        await client.join(room)
        await _say(speaker, ["m"], room)
        await until(lambda: client.bodies == ["m"], "the message")
        before = await _outcomes(stack, "malformed")
        offset = f"{client.offsets[-1][:4]}7fffffffffffffff"
        async with RecoveringClient(stack.gateway_urls[1], token, pid=client.pid, offset=offset) as other:
            assert other.pid != client.pid
        assert await _outcomes(stack, "malformed") == before + 1


async def test_a_client_that_leaves_by_its_own_will_leaves_nothing(stack: TestStack) -> None:
    """Its session cannot be taken up again."""
    room, token = unique("bye"), await stack.token()
    async with _client(stack, token=token) as (client, _):
        await client.join(room)
        pid = client.pid
        await client.close()
        before = await _outcomes(stack, "unknown")

        async def is_unknown() -> bool:
            async with RecoveringClient(stack.gateway_urls[1], token, pid=pid) as other:
                assert other.pid != pid
            return await _outcomes(stack, "unknown") > before

        await until(is_unknown, "the session to be gone")


async def test_a_session_has_one_connection(stack: TestStack) -> None:
    """When it was taken up elsewhere, the connection that had it is closed as soon as it has something to keep."""
    room, token = unique("one"), await stack.token()
    async with _client(stack, token=token) as (client, _):
        await client.join(room)
        async with RecoveringClient(stack.gateway_urls[1], token, pid=client.pid) as other:
            assert other.pid == client.pid
            assert (await other.say(room, "m", "live"))["ok"]
            await until(lambda: client.bodies == ["live"] == other.bodies, "both to hear it")
            with pytest.raises((AssertionError, TimeoutError)):
                await client.join(unique("one"), seconds=1)
            await until(lambda: bool(client.happened("disconnect")), "the one that had it to be closed")


async def test_who_did_not_opt_in_sees_one_argument_and_no_pid(stack: TestStack) -> None:
    """Beside one who did, in the same room, in the same order."""
    room = unique("plain")
    async with (
        _client(stack) as (client, _),
        JsClient(stack.gateway_urls[0], await stack.token()) as plain,
        _speaker(stack, room) as speaker,
    ):
        await client.join(room)
        await plain.join(room)
        await _say(speaker, _numbers(0, 20), room)
        await until(lambda: len(client.bodies) >= 20 and len(plain.messages(room)) >= 20, "all that was said")
        assert [each["body"] for each in plain.messages(room)] == client.bodies == _numbers(0, 20)
        assert {len(args) for args in plain.heard("message")} == {1}
        assert {len(args) for args in client.heard("message")} == {2}
        assert len(set(client.offsets)) == 20
        assert "pid" not in plain.happened("connect")[0]
