"""Bad input: a clear error for those who err, nothing for those who attack, and the gateway goes on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

OK_ID = "a" * 64


@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("join", {}, "invalid"),
        ("join", {"room": ""}, "invalid"),
        ("join", {"room": "a" * 65}, "invalid"),
        ("join", {"room": "a.b"}, "invalid"),
        ("join", {"room": "*"}, "invalid"),
        ("join", {"room": ">"}, "invalid"),
        ("join", {"room": "a b"}, "invalid"),
        ("join", {"room": "a\n"}, "invalid"),
        ("join", {"room": "ä"}, "invalid"),
        ("join", {"room": 7}, "invalid"),
        ("join", {"room": "r", "after": -1}, "invalid"),
        ("join", {"room": "r", "after": "0"}, "invalid"),
        ("join", {"room": "g-secret"}, "forbidden"),
        ("join", {"room": "d-secret"}, "forbidden"),
        ("join", "r", "invalid"),
        ("join", None, "invalid"),
        ("join", ["r"], "invalid"),
        ("message", {"room": "elsewhere", "id": "m", "body": "x"}, "not_joined"),
        ("typing", {"room": "elsewhere", "active": True}, "not_joined"),
        ("event", {"room": "elsewhere", "name": "n", "data": 1}, "not_joined"),
        ("history", {"room": "elsewhere"}, "not_joined"),
        ("message", {"room": "{room}", "id": "m"}, "invalid"),
        ("message", {"room": "{room}", "id": "m", "body": ""}, "invalid"),
        ("message", {"room": "{room}", "id": "m", "body": 1}, "invalid"),
        ("message", {"room": "{room}", "id": "m 1", "body": "x"}, "invalid"),
        ("message", {"room": "{room}", "id": "m", "body": "x" * 16385}, "too_large"),
        ("message", {"room": "{room}", "id": "m", "body": "é" * 8193}, "too_large"),
        ("message", {"room": "{room}", "id": "m", "body": "x", "data": "y" * 16384}, "too_large"),
        ("typing", {"room": "{room}", "active": 1}, "invalid"),
        ("event", {"room": "{room}", "name": "n"}, "invalid"),
        ("event", {"room": "{room}", "name": "a.b", "data": 1}, "invalid"),
        ("history", {"room": "{room}", "limit": 0}, "invalid"),
        ("history", {"room": "{room}", "limit": 201}, "invalid"),
        ("history", {"room": "{room}", "before": 1, "after": 1}, "invalid"),
        ("nonsense", {}, "invalid"),
        ("connect", {}, "invalid"),
        ("disconnect", {}, "invalid"),
        ("session", {}, "invalid"),
        ("", {}, "invalid"),
    ],
)
async def test_a_bad_event_is_refused_with_a_code_and_a_message(
    stack: TestStack, event: str, payload: Any, code: str
) -> None:
    """And the connection goes on."""
    room = unique("bad")
    if isinstance(payload, dict) and payload.get("room") == "{room}":
        payload = {**payload, "room": room}
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        ack = await client.call(event, payload)
        assert ack["ok"] is False
        assert ack["error"]["code"] == code
        assert ack["error"]["message"]
        assert (await client.say(room, OK_ID, "x" * 16384))["ok"]
        assert client.socket.connected


@asynccontextmanager
async def _raw(stack: TestStack) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket that has shaken hands with Engine.IO and Socket.IO, and heard its session event."""
    url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
        assert (await socket.receive_str()).startswith("0{")
        await socket.send_str("40" + json.dumps({"token": await stack.token()}))
        assert (await socket.receive_str()).startswith("40{")
        assert (await socket.receive_str()).startswith('42["session",')
        yield socket


async def _ack(socket: aiohttp.ClientWebSocketResponse, packet: str) -> Any:
    """Send a packet that asks for an acknowledgement, and return that."""
    await socket.send_str(packet)
    async with asyncio.timeout(10):
        while True:
            text = await socket.receive_str()
            if text.startswith("43"):
                return json.loads(text[text.index("[") :])[0]


@pytest.mark.parametrize(
    "packet",
    [
        '427["join"]',
        '427["join",{"room":"r"},{"room":"r"}]',
        "427[]",
        "427[1]",
        '427[{"a":1},{}]',
        '427["join",{"room":"\\ud800"}]',
        '427["message",{"room":"r","id":"m","body":"\\udc00 \\ud800"}]',
        '427["join",{"room":"r"}',
        "427[[[[",
        "427[" + "[" * 30000,
        '427["event",{"room":"r","name":"n","data":' + "[" * 5000 + "]" * 5000 + "}]",
        '427["connect",{},{}]',
        '427["disconnect"]',
    ],
)
async def test_a_malformed_event_is_answered_and_the_connection_goes_on(stack: TestStack, packet: str) -> None:
    """Whatever is in the event, no handler sees it, and whoever waits for an acknowledgement gets one."""
    async with _raw(stack) as socket:
        ack = await _ack(socket, packet)
        assert ack["ok"] is False
        assert ack["error"]["code"] == "invalid"
        assert (await _ack(socket, '428["join",{"room":"r"}]'))["ok"]


@pytest.mark.parametrize(
    "packet",
    [
        "4x",
        "49",
        "44{}",
        "42",
        "42x",
        '42/admin,["join",{}]',
        '40{"token":"again"}',
        '451-["join",{"_placeholder":true,"num":0}]',
        "459999999-[1]",
        '4599999999999999999999999-["a"]',
        b"binary",
    ],
    ids=repr,
)
async def test_a_packet_that_is_none_ends_its_own_connection_alone(stack: TestStack, packet: str | bytes) -> None:
    """The gateway closes the connection that sent it; another one does not notice."""
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as bystander, _raw(stack) as socket:
        if isinstance(packet, bytes):
            await socket.send_bytes(packet)
        else:
            await socket.send_str(packet)
        async with asyncio.timeout(10):
            while (await socket.receive()).type not in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                pass
        assert await bystander.join("anywhere")


async def test_an_oversized_frame_ends_its_own_connection_alone(stack: TestStack) -> None:
    """Nothing above 64 KiB is taken in."""
    async with PythonClient(stack.gateway_urls[0], await stack.token()) as bystander, _raw(stack) as socket:
        await socket.send_str('421["message",{"room":"r","id":"m","body":"' + "x" * 70000 + '"}]')
        async with asyncio.timeout(10):
            while (await socket.receive()).type not in {
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            }:
                pass
        assert await bystander.join("anywhere")


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        ({"token": "nonsense"}, "unauthorized"),
        ({"token": ""}, "unauthorized"),
        ({"token": 1}, "unauthorized"),
        ({"token": "x" * 9000}, "unauthorized"),
        ({}, "unauthorized"),
        ("token", "unauthorized"),
        (None, "unauthorized"),
    ],
)
async def test_a_connection_without_a_good_token_is_refused(stack: TestStack, auth: Any, code: str) -> None:
    """`connect_error` carries `data: {code, message}`, and the socket does not live on."""
    url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_str()
        await socket.send_str("40" + (json.dumps(auth) if auth is not None else ""))
        answer = await socket.receive_str()
        assert answer.startswith("44{")
        problem = json.loads(answer[2:])
        assert problem["data"]["code"] == code
        assert problem["data"]["message"] == problem["message"]
        async with asyncio.timeout(15):
            while (await socket.receive()).type not in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                pass


async def test_a_socket_that_never_says_who_it_is_is_closed(stack: TestStack) -> None:
    """It has five seconds; events before that reach nobody."""
    url = f"{stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        await socket.receive_str()
        async with asyncio.timeout(15):
            while (await socket.receive()).type not in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                pass


async def test_a_connection_leaves_nothing_behind(stack: TestStack) -> None:
    """The gauge of connections returns to where it was, however connections end."""
    name = "parley_gateway_connections"
    before = await stack.metric("gateway-1", name)
    async with _raw(stack), PythonClient(stack.gateway_urls[0], await stack.token()):
        assert await stack.metric("gateway-1", name) == before + 2

    async def is_back() -> bool:
        return await stack.metric("gateway-1", name) == before

    await until(is_back, "the gauge to return")
