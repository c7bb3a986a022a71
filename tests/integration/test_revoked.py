"""Revoked tokens and expired ones: whose connection ends, how soon they are told, and who comes back."""

import asyncio
import json
import random
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from tests.support.clients.kinds import KINDS, client
from tests.support.clients.official import OfficialClient
from tests.support.clients.parley import JsClient, ParleyClient, PythonClient
from tests.support.clients.recovering import RecoveringClient
from tests.support.people import guest
from tests.support.revoking import announcer, rounds_of_reconnecting, session_of
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until
from wire import streams

SHORT_SECONDS = 6


@asynccontextmanager
async def _connected(
    urls: Sequence[str], token: str, kind: str, transport: str
) -> AsyncIterator[list[OfficialClient]]:
    """A client of `kind` at each of `urls`."""
    async with AsyncExitStack() as stack:
        clients = [client(kind, url, auth={"token": token}, transports=[transport]) for url in urls]
        for each in clients:
            await stack.enter_async_context(each)
            await each.is_connected()
        yield clients


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_revoked_session_ends_everywhere_and_stays_away(stack: TestStack, kind: str, transport: str) -> None:
    """On both gateways, whichever the client and its transport; another session of nobody is touched."""
    token = await stack.token()
    async with (
        announcer(stack) as auth,
        _connected(stack.gateway_urls, token, kind, transport) as clients,
        PythonClient(stack.gateway_urls[0], await stack.token()) as other,
    ):
        await auth.session_revoked(*session_of(token))
        for each in clients:
            await until(lambda each=each: len(each.happened("disconnect")) == 1, "the end", seconds=2)  # type: ignore[misc]
        await rounds_of_reconnecting(stack)
        assert [len(each.happened("connect")) for each in clients] == [1, 1]
        assert not other.happened("disconnect")


async def test_a_revoked_token_lets_nobody_in(stack: TestStack) -> None:
    """Neither on a gateway that its bearer was never on, nor over HTTP, nor to lengthen a life."""
    token = await stack.token()
    async with announcer(stack) as auth, PythonClient(stack.gateway_urls[0], await stack.token()) as other:
        await auth.session_revoked(*session_of(token))
        await other.call("history", {"room": "lobby"})
        async with client("python", stack.gateway_urls[1], auth={"token": token}) as refused:
            await until(lambda: bool(refused.happened("connect_error")), "a refusal")
            assert refused.happened("connect_error")[0]["data"]["data"]["code"] == "unauthorized"
        assert (await other.call("refresh", {"token": token}))["error"]["code"] == "unauthorized"


async def test_all_sessions_of_a_user_end_up_to_a_moment(stack: TestStack) -> None:
    """Those whose tokens were issued later go on."""
    token = await stack.token()
    _, user = session_of(token)
    async with announcer(stack) as auth, PythonClient(stack.gateway_urls[0], token) as mine:
        await auth.user_revoked(user, before=1)
        async with PythonClient(stack.gateway_urls[1], token) as again:
            assert not mine.happened("disconnect")
            await auth.user_revoked(user, before=time.time_ns() // 1_000_000)
            for each in (mine, again):
                await until(lambda each=each: bool(each.happened("disconnect")), "the end", seconds=2)  # type: ignore[misc]


async def test_a_gateway_that_was_stopped_knows_before_it_serves(stack: TestStack) -> None:
    """What was revoked while it did not run takes effect before anybody is told anything."""
    token, room = await stack.token(), unique("stopped")
    gateway = stack.children["gateway-1"]
    async with (
        announcer(stack) as auth,
        PythonClient(stack.gateway_urls[0], token, transports=["websocket"]) as revoked,
        PythonClient(stack.gateway_urls[1], await stack.token(), transports=["websocket"]) as speaker,
    ):
        await revoked.join(room)
        await speaker.join(room)
        gateway.send_signal(signal.SIGSTOP)
        try:
            await auth.session_revoked(*session_of(token))
            assert (await speaker.say(room, "after"))["ok"]
        finally:
            gateway.send_signal(signal.SIGCONT)
        await until(lambda: bool(revoked.happened("disconnect")), "the end")
        await rounds_of_reconnecting(stack)
        assert len(revoked.happened("connect")) == 1


async def test_revocations_survive_a_restart_of_everything() -> None:
    """NATS, MongoDB and all services: a token that was revoked before is refused after."""
    async with fresh() as own:
        token = await own.token()
        async with announcer(own) as auth:
            await auth.session_revoked(*session_of(token))
        for name in reversed(own.children):
            await own.children[name].kill()
        for tier in (["nats", "mongo"], ["auth", "history"], ["gateway-1", "gateway-2"]):
            for name in tier:
                await own.children[name].start()
            await own.ready(*tier)
        async with client("python", own.gateway_urls[0], auth={"token": token}) as refused:
            await until(lambda: bool(refused.happened("connect_error")), "a refusal")
            assert refused.happened("connect_error")[0]["data"]["data"]["code"] == "unauthorized"


async def test_a_gateway_that_cannot_know_serves_nobody(own_stack: TestStack) -> None:
    """Without the stream of revocations: not ready, and everything is `unavailable`, until it is there again."""
    stack = own_stack
    async with stack.nats() as admin, PythonClient(stack.gateway_urls[0], await stack.token()) as there:
        await admin.jetstream().delete_stream(streams.CONTROL)
        room = unique("unknown")

        async def is_unavailable() -> bool:
            ack = await there.call("join", {"room": room})
            return not ack["ok"] and ack["error"]["code"] == "unavailable"

        await until(is_unavailable, "everything to be unavailable", seconds=40, every=0.5)
        assert not await stack.is_ready("gateway-1")
        await stack.setup()
        await until(lambda: stack.is_ready("gateway-1"), "it to be ready")
        await there.join(room)


async def _short_token(stack: TestStack, user: int, seconds: int = SHORT_SECONDS) -> str:
    """Of a user whom `TestStack.token` does not give away."""
    return (await stack.mint(1000 + user, seconds=seconds))[-1]


@pytest.mark.parametrize("kind", [PythonClient, JsClient])
async def test_an_expired_connection_ends_and_its_client_comes_back(
    stack: TestStack, kind: type[ParleyClient]
) -> None:
    """Told ahead of time; ended at the expiry, not before; its client comes back, and is refused as `expired`."""
    token = await _short_token(stack, 1 if kind is JsClient else 2)
    async with kind(stack.gateway_urls[0], token, transports=["websocket"]) as mine:
        expires_at = time.time() + mine.of("session")[0]["expires_in"]
        await until(lambda: bool(mine.of("expiring")), "to be told")
        assert 0 < mine.of("expiring")[0]["expires_in"] < SHORT_SECONDS
        await until(lambda: bool(mine.happened("disconnect")), "the end", seconds=30 + SHORT_SECONDS)
        assert time.time() >= expires_at - 1
        await until(lambda: bool(mine.happened("connect_error")), "to be refused")
        assert "expired" in str(mine.happened("connect_error")[0])


async def test_a_connection_that_is_refreshed_lives_on(stack: TestStack) -> None:
    """With a token that lasts: the connection does not end when its first token does."""
    lasting = await _short_token(stack, 3, 600)
    async with PythonClient(stack.gateway_urls[0], await _short_token(stack, 3), transports=["websocket"]) as mine:
        # At once: a command takes seconds on a machine that has no time for it.
        ack = await mine.call("refresh", {"token": lasting})
        assert ack["ok"]
        assert 500 < ack["expires_in"] <= 600
        ended = await _short_token(stack, 4)
        async with PythonClient(stack.gateway_urls[0], ended, transports=["websocket"]) as other:
            await until(lambda: bool(other.happened("disconnect")), "a later token's end", seconds=40)
        assert not mine.happened("disconnect")
        assert not mine.of("expiring")


async def test_only_the_same_user_lengthens_a_life(stack: TestStack) -> None:
    """Another's token is refused as `forbidden`, garbage as `unauthorized`, and nothing changes."""
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as mine:
        assert (await mine.call("refresh", {"token": await stack.token()}))["error"]["code"] == "forbidden"
        assert (await mine.call("refresh", {"token": "x"}))["error"]["code"] == "unauthorized"
        assert (await mine.call("refresh", {}))["error"]["code"] == "invalid"
        assert (await mine.call("join", {"room": unique("lives")}))["ok"]


async def test_a_revoked_session_is_not_recovered(stack: TestStack) -> None:
    """Its rooms are nobody's any more, even for the same user with a token that is good."""
    token = await _short_token(stack, 5, 600)
    _, user = session_of(token)
    async with announcer(stack) as auth, RecoveringClient(stack.gateway_urls[0], token) as mine:
        await mine.join(unique("revoked"))
        before = time.time()
        await auth.user_revoked(user, before=int(before * 1000))
        await until(lambda: bool(mine.happened("disconnect")), "the end", seconds=2)
        await until(lambda: int(time.time()) > before, "a token that was issued later")
        another = await _short_token(stack, 5, 600)
        async with RecoveringClient(stack.gateway_urls[1], another, pid=mine.pid, offset="") as again:
            assert not again.happened("connect")[0]["recovered"]
            assert again.pid != mine.pid


async def test_a_revocation_while_somebody_is_let_in(stack: TestStack) -> None:
    """Whenever it happens: they are refused, or out at once."""
    rng = random.Random(4)
    async with announcer(stack) as auth:
        for _ in range(25):
            token = await stack.token()
            mine = client("python", stack.gateway_urls[1], auth={"token": token}, transports=["websocket"])
            connecting = asyncio.create_task(mine.start())
            await asyncio.sleep(rng.random() * 0.02)
            await auth.session_revoked(*session_of(token))
            await connecting
            try:
                await until(lambda: bool(mine.happened("disconnect") or mine.happened("connect_error")), "the end")  # noqa: B023 - awaited at once
            finally:
                await mine.stop()


async def test_a_join_under_way_lets_nobody_in_who_was_revoked(stack: TestStack) -> None:
    """Whatever its socket goes on with: somebody else's connection there hears nothing of the room."""
    ann, bob, eve = [await guest(stack) for _ in range(3)]
    room = await bob.group(ann)
    url = stack.gateway_urls[0]
    async with (
        announcer(stack) as auth,
        PythonClient(url, bob.token) as bobs,
        PythonClient(url, ann.token) as anns,
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0) as socket,
    ):
        await bobs.join(room)
        for number in range(400):  # more than fits on the way to somebody who does not read
            await bobs.say(room, f"m{number}", "x" * 16_000)
        for packet in (
            f"40{json.dumps({'token': ann.token})}",
            f'420["join",{{"room":"{room}","after":0}}]',
            f"40{json.dumps({'token': eve.token})}",
        ):
            await socket.send_str(packet)
        while not (await socket.receive_str()).startswith('42["message"'):
            pass
        await auth.session_revoked(*session_of(ann.token))
        await until(lambda: bool(anns.happened("disconnect")), "the end", seconds=2)
        while not (await socket.receive_str()).startswith("41"):
            pass
        after = [await socket.receive_str()]
        while not after[-1].startswith('42["session"'):
            after.append(await socket.receive_str())
        assert eve.id in after[-1]
        await bob.remove(room, ann)
        await bobs.say(room, "secret")
        await socket.send_str('421["join",{"room":"lobby"}]')
        while not after[-1].startswith("431"):
            after.append(await socket.receive_str())
        assert not [each for each in after if room in each]
