"""Large messages, and many at once: bounded replies, and nothing missing."""

import json

import aiohttp
import pytest

from tests.support.clients.parley import JsClient, PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

BODY = "b" * 16_000
DATA = "d" * 16_000


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_room_of_the_largest_messages_can_be_read_and_resumed(stack: TestStack, transport: str) -> None:
    """A page is cut by size before it is too large for NATS; `more` says so, and paging on finds everything.

    What was missed comes as its client reads it: it is more than may wait for one at a time.
    """
    room = unique("large")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        seqs = [(await client.say(room, f"m{number}", BODY, data=DATA))["seq"] for number in range(60)]
        page = await client.call("history", {"room": room})
        assert page["more"]
        found = page["messages"]
        assert found[-1]["seq"] == seqs[-1]
        while page["more"]:
            page = await client.call("history", {"room": room, "before": found[0]["seq"]})
            found = page["messages"] + found
        assert [each["seq"] for each in found] == seqs
        assert [each["prev"] for each in found] == [0, *seqs[:-1]]

        forwards: list[int] = []
        while True:
            page = await client.call("history", {"room": room, "after": forwards[-1] if forwards else 0})
            forwards += [each["seq"] for each in page["messages"]]
            if not page["more"]:
                break
        assert forwards == seqs

        async with PythonClient(stack.gateway_urls[1], await stack.token(), transports=[transport]) as late:
            ack = await late.join(room, after=seqs[0])
            assert (ack["missed"], ack["truncated"]) == (59, False)
            assert [each["seq"] for each in late.messages(room)] == seqs[1:]


async def test_a_burst_of_a_polling_client_is_taken_whole(stack: TestStack) -> None:
    """The JavaScript client puts all that it has queued into one payload."""
    room = unique("burst")
    async with JsClient(stack.gateway_urls[0], await stack.token(), transports=["polling"]) as js:
        await js.join(room)
        acks = await js.burst("message", [{"room": room, "id": f"m{number}", "body": "x"} for number in range(60)])
        assert all(ack["ok"] for ack in acks), acks
        await until(lambda: len(js.messages(room)) == 60, "all of them")


async def test_a_polling_client_gets_much_at_once_in_payloads_that_it_takes(stack: TestStack) -> None:
    """The Python client refuses a payload of more than 16 packets."""
    room = unique("poll")
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as sender:
        await sender.join(room)
        seqs = [(await sender.say(room, f"m{number}"))["seq"] for number in range(100)]
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["polling"]) as late:
        ack = await late.join(room, after=seqs[0])
        assert ack["missed"] == 99
        assert [each["seq"] for each in late.messages(room)] == seqs[1:]


@pytest.mark.parametrize("packet", ["x", "", "bAAA", "9", "4[[[", "6"], ids=repr)
async def test_an_undecodable_engineio_packet_ends_its_connection_at_once(stack: TestStack, packet: str) -> None:
    """No zombie: the WebSocket is closed in form, and the connection is not counted any more."""
    name = "parley_gateway_connections"
    before = await stack.metric("gateway-1", name)
    url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, autoping=False) as socket:
        await socket.receive_str()
        await socket.send_str("40" + json.dumps({"token": await stack.token()}))
        assert (await socket.receive_str()).startswith("40{")
        await socket.send_str(packet)
        if packet not in {"9", "6"}:  # these decode, and mean nothing
            while (await socket.receive(timeout=10)).type not in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                pass

    async def is_back() -> bool:
        return await stack.metric("gateway-1", name) == before

    await until(is_back, "the connection to be gone")


async def test_an_upgrade_that_never_comes_is_given_up(stack: TestStack) -> None:
    """A WebSocket that says it is an upgrade and never probes is closed; its session polls on."""
    base = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport="
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{base}polling") as response:
            sid = json.loads((await response.text())[1:])["sid"]
        async with http.post(f"{base}polling&sid={sid}", data="40" + json.dumps({"token": await stack.token()})):
            pass
        async with http.ws_connect(f"{base}websocket&sid={sid}") as socket:
            assert (await socket.receive(timeout=20)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
        async with http.post(f"{base}polling&sid={sid}", data='421["join",{"room":"polls-on"}]') as response:
            assert response.status == 200
        text = ""
        while "431[" not in text:
            async with http.get(f"{base}polling&sid={sid}", timeout=aiohttp.ClientTimeout(total=10)) as response:
                assert response.status == 200
                text += await response.text()
        async with http.post(f"{base}polling&sid={sid}", data="1"):
            pass
