"""How a process starts, ends and tells the truth about itself when its surroundings are not as they should be."""

import asyncio
import gc
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT
from tests.support.clients.parley import JsClient, PythonClient
from tests.support.members import two_members
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack, is_ready_at, metric_at, unique
from tests.support.waiting import until
from wire import subjects


@asynccontextmanager
async def _gateway(
    stack: TestStack, nats_port: int, *, credentials: str = ""
) -> AsyncIterator[tuple[Child, Ports, list[str]]]:
    """One more gateway, with a way to NATS of its own."""
    ports = Ports.free()
    lines: list[str] = []
    environ = {
        **stack.environment("gateway-3"),
        "NATS_URL": f"nats://{credentials}{HOST}:{nats_port}",
        "PORT": str(ports.gateway_1),
        "ADMIN_PORT": str(ports.gateway_1_admin),
    }
    child = Child(
        "gateway-3",
        [sys.executable, "-m", "services.gateway"],
        cwd=ROOT,
        environ=environ,
        sink=lambda _name, line: lines.append(line),
    )
    await child.start()
    try:
        yield child, ports, lines
    finally:
        await child.kill()


async def test_a_gateway_waits_for_nats_and_says_so(stack: TestStack) -> None:
    """Without NATS it lives and is not ready; it still ends at once when told to, with exit code 0."""
    nobody = Ports.free().nats
    async with _gateway(stack, nobody) as (child, ports, _):
        admin = f"http://{HOST}:{ports.gateway_1_admin}"
        await until(lambda: is_ready_at(admin, "/livez"), "it to live")
        assert not await is_ready_at(admin)
        assert await child.stop() == 0


async def test_an_outage_of_nats_does_not_flood_the_log(stack: TestStack) -> None:
    """Every failure is counted; one line says it, with the server's address and without the password."""
    nobody = Ports.free().nats
    async with _gateway(stack, nobody, credentials="user:hunter2@") as (child, ports, lines):
        admin = f"http://{HOST}:{ports.gateway_1_admin}"

        async def failed_often() -> bool:
            return await is_ready_at(admin, "/livez") and await metric_at(admin, "parley_nats_errors_total") >= 5

        await until(failed_often, "connecting to have failed a few times")
        assert await child.stop() == 0
    (said,) = [line for line in lines if "nats error" in line]
    assert f"{HOST}:{nobody}" in said
    assert "hunter2" not in "".join(lines)


async def test_a_connection_that_carries_nothing_is_torn_down_and_made_again(stack: TestStack) -> None:
    """The socket to NATS stays open and silent, as after a lost firewall state: not ready, then revived."""
    async with Proxy(stack.ports.nats) as proxy, _gateway(stack, proxy.port) as (_, ports, _lines):
        admin = f"http://{HOST}:{ports.gateway_1_admin}"
        await until(lambda: is_ready_at(admin), "it to be ready")
        room = unique("revived")
        url = f"http://{HOST}:{ports.gateway_1}"
        async with PythonClient(url, await stack.token(), transports=["websocket"]) as client:
            await client.join(room)
            proxy.swallow()
            assert not await is_ready_at(admin)
            assert (await client.say(room, "m1"))["error"]["code"] == "unavailable"
            await until(lambda: is_ready_at(admin), "it to be ready again", seconds=40)
            assert await metric_at(admin, "parley_nats_revived_total") == 1
            assert (await client.say(room, "m1"))["ok"]
            await until(lambda: bool(client.messages(room)), "the message, by the subscription that was made again")


async def test_a_connection_that_is_closed_for_good_ends_the_process(stack: TestStack) -> None:
    """nats-py never comes back after a permanent error of the server: exit code 1, so that it is started again."""
    async with Proxy(stack.ports.nats) as proxy, _gateway(stack, proxy.port) as (child, ports, lines):
        admin = f"http://{HOST}:{ports.gateway_1_admin}"
        await until(lambda: is_ready_at(admin), "it to be ready")
        proxy.say(b"-ERR 'Something Permanent'\r\n")
        async with asyncio.timeout(20):
            assert "exit code 1" in await child.ended()
        assert any("closed for good" in line for line in lines)


# The Python client leaves its old sockets to the collector when it connects again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]], ids=["websocket", "polling"])
async def test_official_clients_come_back_from_a_gateway_that_was_stopped(
    own_stack: TestStack, transports: list[str]
) -> None:
    """SIGTERM: the gateway ends with exit code 0 in time; both clients reconnect by themselves."""
    stack = own_stack
    gateway = stack.children["gateway-1"]
    url = stack.gateway_urls[0]
    async with (
        JsClient(url, await stack.token(), transports=transports) as js,
        PythonClient(url, await stack.token(), transports=transports) as python,
    ):
        assert await gateway.stop(timeout=10) == 0
        await gateway.start()
        for client in (js, python):
            await until(
                lambda c=client: len(c.of("session")) == 2,  # type: ignore[misc]
                f"{type(client).__name__} to come back",
                seconds=60,
            )
    gc.collect()


async def test_a_client_that_leaves_while_it_is_verified_leaves_nothing_behind(own_stack: TestStack) -> None:
    """The answer comes when nobody waits for it any more: no connection is made of it."""
    stack = own_stack
    base = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=polling"
    token = await stack.token()
    async with aiohttp.ClientSession() as http:
        async with http.get(base) as response:
            session = f"{base}&sid={json.loads((await response.text())[1:])['sid']}"
        stack.children["auth"].send_signal(signal.SIGSTOP)
        connecting = asyncio.ensure_future(http.post(session, data="40" + json.dumps({"token": token})))

        async def asked() -> bool:
            return await stack.nats_messages_to("auth", subjects.AUTH_VERIFY) == 1

        await until(asked, "auth to be asked")
        async with http.post(session, data="1"):
            pass
        stack.children["auth"].send_signal(signal.SIGCONT)
        (await connecting).close()

    async def answered() -> bool:
        return await stack.metric("auth", "parley_auth_requests_total", kind="verify") == 1

    await until(answered, "the verification")
    async with PythonClient(stack.gateway_urls[0], token):
        assert await stack.metric("gateway-1", "parley_gateway_connections") == 1


async def test_every_service_ends_with_exit_code_0_when_told_to(own_stack: TestStack) -> None:
    """And no traceback in its last words."""
    for name in ("gateway-1", "gateway-2", "history", "auth"):
        assert await own_stack.children[name].stop(timeout=10) == 0
    assert not [line for line in own_stack.output if "Traceback" in line]


async def test_a_paused_gateway_goes_on(own_stack: TestStack) -> None:
    """SIGSTOP for a moment: its clients stay, and hear what was said meanwhile."""
    stack = own_stack
    room = unique("paused")
    async with two_members(stack, room) as (one, two):
        stack.children["gateway-1"].send_signal(signal.SIGSTOP)
        seqs = [(await two.say(room, f"m{number}"))["seq"] for number in range(50)]
        stack.children["gateway-1"].send_signal(signal.SIGCONT)
        await until(lambda: len(one.messages(room)) == 50, "what was said meanwhile")
        assert [each["seq"] for each in one.messages(room)] == seqs


async def test_a_message_that_cannot_be_read_is_kept_aside(own_stack: TestStack) -> None:
    """Garbage in the stream goes to the dead letters; members, pages and later messages are not harmed."""
    stack = own_stack
    room = unique("poison")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        await client.say(room, "m1")
        async with stack.nats("gateway") as outsider:
            await outsider.jetstream().publish(f"chat.room.{room}.message", b"\xff not a message")
        assert (await client.call("history", {"room": room}))["ok"], "a page whose newest entry is garbage"
        await client.say(room, "m2")

        async def kept_aside() -> bool:
            return await stack.metric("history", "parley_history_dead_letters_total") == 1

        await until(kept_aside, "the dead letter")
        page = await client.call("history", {"room": room})
        assert [each["id"] for each in page["messages"]] == ["m1", "m2"]
        await until(lambda: len(client.messages(room)) == 2, "both messages")
        assert await stack.metric("gateway-1", "parley_gateway_live_unreadable_total") == 1
