"""What goes in and out is counted as it is: each packet once, and the bytes that it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from services.gateway.edge import frames
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

GATEWAY: Final = "gateway-1"
_KINDS: Final = ("sent_packets", "sent_bytes", "received_packets", "received_bytes")
_MASK_BYTES: Final = 4
_SEPARATOR: Final = "\x1e"


class _Traffic:
    """What a client has seen: by `_KINDS`, from the gateway's side."""

    def __init__(self) -> None:
        self.seen = dict.fromkeys(_KINDS, 0)
        self.packets: list[str] = []

    def got(self, packet: str) -> None:
        """The gateway has sent it."""
        self.packets.append(packet)
        self.seen["sent_packets"] += 1
        self.seen["sent_bytes"] += len(frames.text(packet.encode()))

    def gave(self, packet: str, size: int) -> None:
        """The gateway has received it, in so many bytes."""
        self.packets.append(packet)
        self.seen["received_packets"] += 1
        self.seen["received_bytes"] += size

    def acknowledged(self, id: int) -> bool:
        """Whether it is."""
        return any(each.startswith(f"43{id}[") for each in self.packets)


async def _counted(stack: TestStack) -> dict[str, int]:
    return {kind: int(await stack.metric(GATEWAY, f"parley_gateway_{kind}_total")) for kind in _KINDS}


def _event(ack_id: int, name: str, **payload: Any) -> str:
    return f"42{ack_id}{json.dumps([name, payload])}"


async def _chat(send: Callable[[str], Awaitable[None]], traffic: _Traffic) -> None:
    """Join a room, and say something in it, short and long."""
    room = unique("traffic")
    await send(_event(0, "join", room=room))
    await until(lambda: traffic.acknowledged(0), "to be in")
    await send(_event(1, "message", room=room, id="m1", body="x"))
    await send(_event(2, "message", room=room, id="m2", body="\u00e9" * 900))
    await until(lambda: traffic.acknowledged(1) and traffic.acknowledged(2), "both to be acknowledged")


async def _is_counted(stack: TestStack, before: dict[str, int], traffic: _Traffic) -> None:
    async def is_so() -> bool:
        return await _counted(stack) == {kind: before[kind] + seen for kind, seen in traffic.seen.items()}

    await until(is_so, "what was seen to be counted")
    assert min(traffic.seen.values()) >= 4


@asynccontextmanager
async def _reading(look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Take what comes, while the block runs."""

    async def go_on() -> None:
        while True:
            await look()

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_packets_of_a_websocket_are_counted(own_stack: TestStack) -> None:
    """As many as its client has seen, both ways, with their frames."""
    before, traffic = await _counted(own_stack), _Traffic()
    url = f"{own_stack.gateway_urls[0]}/socket.io/?EIO=4&transport=websocket"
    token = await own_stack.token()
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:

        async def send(packet: str) -> None:
            traffic.gave(packet, len(frames.text(packet.encode())) + _MASK_BYTES)
            await socket.send_str(packet)

        async def look() -> None:
            traffic.got(await socket.receive_str())

        async with _reading(look):
            await send(f"40{json.dumps({'token': token})}")
            await _chat(send, traffic)
            await _is_counted(own_stack, before, traffic)


async def test_packets_of_polls_are_counted(own_stack: TestStack) -> None:
    """As many as its client has seen; what it sends, with the bodies that it is in."""
    before, traffic = await _counted(own_stack), _Traffic()
    url = f"{own_stack.gateway_urls[0]}/socket.io/?EIO=4&transport=polling"
    token = await own_stack.token()
    async with aiohttp.ClientSession() as http:

        async def poll(sid: str = "") -> None:
            async with http.get(url + sid) as response:
                for packet in (await response.text()).split(_SEPARATOR):
                    traffic.got(packet)

        await poll()
        sid = f"&sid={json.loads(traffic.packets[0][1:])['sid']}"

        async def send(packet: str) -> None:
            traffic.gave(packet, len(packet.encode()))
            async with http.post(url + sid, data=packet.encode()) as response:
                assert response.status == 200

        async with _reading(lambda: poll(sid)):
            await send(f"40{json.dumps({'token': token})}")
            await _chat(send, traffic)
            await _is_counted(own_stack, before, traffic)


async def test_subscriptions_are_as_many_as_nats_knows(stack: TestStack) -> None:
    """Of the process, whatever they are for."""

    async def are_the_same() -> bool:
        counted = await stack.metric(GATEWAY, "parley_gateway_subscriptions")
        return 0 < counted == len(await stack.nats_subscriptions(GATEWAY))

    await until(are_the_same, "both to be the same")
    assert await stack.metric(GATEWAY, "parley_gateway_publishes_in_flight_limit") == 4096
