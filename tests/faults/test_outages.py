"""Servers that stop and come back: the truth meanwhile, and nothing missing afterwards."""

import asyncio
import signal
import time
from typing import Any

import pytest

from tests.support.clients.parley import PythonClient
from tests.support.members import two_members
from tests.support.stacks import TestStack, unique
from tests.support.waiting import until

_PAUSE_SECONDS = 0.005  # a steady stream, and not a test of speed

SERVICES = ("auth", "history", "gateway-1", "gateway-2")


class Traffic:
    """A client that sends without pause, again with the same id while the answer is `unavailable`."""

    def __init__(self, client: PythonClient, room: str) -> None:
        self.client = client
        self.room = room
        self.acked: dict[str, int] = {}
        self.codes: list[str] = []
        self.longest_wait = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Send until told to stop."""
        number = 0
        while not self._stopping:
            id = f"{self.client.socket.get_sid()}-{number}"
            started = time.monotonic()
            ack = await self.client.say(self.room, id, str(number))
            self.longest_wait = max(self.longest_wait, time.monotonic() - started)
            if ack["ok"]:
                self.acked[id] = ack["seq"]
                number += 1
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self.codes.append(ack["error"]["code"])
                await asyncio.sleep(10 * _PAUSE_SECONDS)

    def stop(self) -> None:
        """Let the message under way be the last."""
        self._stopping = True


async def _history(client: PythonClient, room: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await client.call("history", {"room": room, "after": found[-1]["seq"] if found else 0, "limit": 200})
        assert page["ok"], page
        found += page["messages"]
        if not page["more"]:
            return found


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_nats_gone_and_back_under_traffic(own_stack: TestStack, how: str) -> None:
    """Services reconnect, /readyz tells the truth, sends answer `unavailable`, traffic goes on, acks are kept."""
    stack = own_stack
    room = unique("nats")
    async with two_members(stack, room) as (one, two):
        traffic = [Traffic(one, room), Traffic(two, room)]
        runs = [asyncio.create_task(each.run()) for each in traffic]
        await until(lambda: all(len(each.acked) > 50 for each in traffic), "traffic")

        nats = stack.children["nats"]
        await (nats.kill() if how == "killed" else nats.stop())

        async def none_is_ready() -> bool:
            return not any(await asyncio.gather(*map(stack.is_ready, SERVICES)))

        await until(none_is_ready, "every service to say that it is not ready")
        await until(lambda: all("unavailable" in each.codes for each in traffic), "sends to be answered")
        counts = [len(each.acked) for each in traffic]
        for elsewhere in (room, unique("nats")):
            assert (await one.call("join", {"room": elsewhere}))["error"]["code"] == "unavailable"

        await nats.start()
        await stack.ready("nats", *SERVICES)
        await until(
            lambda: all(len(each.acked) > count + 50 for each, count in zip(traffic, counts, strict=True)),
            "traffic to go on",
        )
        for each in traffic:
            each.stop()
        await asyncio.gather(*runs)

        assert {code for each in traffic for code in each.codes} == {"unavailable"}
        assert max(each.longest_wait for each in traffic) < 10, "an answer, instead of hanging"
        last = max(seq for each in traffic for seq in each.acked.values())
        await until(lambda: one.messages(room)[-1]["seq"] >= last, "live messages on gateway 1")
        await until(lambda: two.messages(room)[-1]["seq"] >= last, "live messages on gateway 2")
        history = await _history(one, room)
        kept = {each["id"]: each["seq"] for each in history}
        for each in traffic:
            assert each.acked.items() <= kept.items(), "an acknowledged message is missing"
        for client in (one, two):
            await until(lambda c=client: len(c.messages(room)) >= len(history), "the holes to be filled")  # type: ignore[misc]
            assert client.messages(room) == history, "live: all of it, once, in order, with the same prev"
    for service in SERVICES:
        assert await stack.metric(service, "parley_nats_reconnects_total") >= 1


async def test_mongodb_stopped_for_20_seconds_under_traffic(own_stack: TestStack) -> None:
    """Live chat goes on; history says unavailable rather than leave something out, then catches up."""
    stack = own_stack
    room = unique("mongo")
    async with two_members(stack, room) as (one, two):
        traffic = Traffic(one, room)
        run = asyncio.create_task(traffic.run())
        await until(lambda: len(traffic.acked) > 100, "traffic")

        await stack.children["mongo"].kill()
        stopped = time.monotonic()
        before = len(traffic.acked)

        async def lags() -> bool:
            return await stack.metric("history", "parley_history_lag_messages") > 100

        await until(lags, "the lag to show")
        while time.monotonic() - stopped < 20:
            seen = len(two.messages(room))
            await until(lambda seen=seen: len(two.messages(room)) > seen, "live chat to go on")  # type: ignore[misc]
            await asyncio.sleep(0.2)
        assert len(traffic.acked) > before + 100
        assert traffic.codes == []

        await stack.children["mongo"].start()
        await stack.ready("mongo")
        traffic.stop()
        await run

        async def caught_up() -> bool:
            return await stack.metric("history", "parley_history_lag_messages") == 0

        await until(caught_up, "history to catch up", seconds=60)
        kept = [(each["seq"], each["id"]) for each in await _history(two, room)]
        assert kept == sorted((seq, id) for id, seq in traffic.acked.items())
        new = await stack.metric("history", "parley_history_persisted_messages_total")
        again = await stack.metric("history", "parley_history_already_persisted_messages_total")
        assert new <= len(kept) <= new + again, "what was written and not confirmed is written again, and found"


async def test_a_page_is_complete_while_mongodb_lags(own_stack: TestStack) -> None:
    """What is acknowledged but not in MongoDB yet is in the page: taken from the stream."""
    stack = own_stack
    room = unique("tail")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        seqs = [(await client.say(room, f"m{number}"))["seq"] for number in range(10)]

        async def persisted() -> bool:
            return await stack.metric("history", "parley_history_lag_messages") == 0

        await until(persisted, "the first ten to be persisted")
        stack.children["mongo"].send_signal(signal.SIGSTOP)
        try:
            seqs += [(await client.say(room, f"m{number}"))["seq"] for number in range(10, 30)]
            page = await client.call("history", {"room": room, "limit": 15})
            assert [each["seq"] for each in page["messages"]] == seqs[15:]
            assert page["messages"][0]["prev"] == seqs[14]
            assert page["more"]
        finally:
            stack.children["mongo"].send_signal(signal.SIGCONT)
        page = await client.call("history", {"room": room, "limit": 100})
        assert [each["seq"] for each in page["messages"]] == seqs
        assert [each["prev"] for each in page["messages"]] == [0, *seqs[:-1]]


async def test_a_killed_service_comes_back(own_stack: TestStack) -> None:
    """Kill -9 of auth and history: live chat goes on without them, and they take up their work again."""
    stack = own_stack
    room = unique("killed")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        seqs = [(await client.say(room, f"m{number}"))["seq"] for number in range(20)]
        for name in ("auth", "history"):
            await stack.children[name].kill()
        seqs += [(await client.say(room, f"m{number}"))["seq"] for number in range(20, 40)]
        assert (await client.call("history", {"room": room}))["error"]["code"] == "unavailable"
        for name in ("auth", "history"):
            await stack.children[name].start()
        await stack.ready("auth", "history")
        page = await client.call("history", {"room": room})
        assert [each["seq"] for each in page["messages"]] == seqs
        async with PythonClient(stack.gateway_urls[1], await stack.token()) as newcomer:
            await newcomer.join(room)


async def test_a_frozen_nats_is_not_claimed_to_work(own_stack: TestStack) -> None:
    """SIGSTOP leaves the connection open: /readyz still says no, sends are answered, and all goes on after."""
    stack = own_stack
    room = unique("frozen")
    async with PythonClient(stack.gateway_urls[0], await stack.token(), transports=["websocket"]) as client:
        await client.join(room)
        await client.say(room, "m1")

        async def is_not_ready() -> bool:
            return not await stack.is_ready("gateway-1")

        stack.children["nats"].send_signal(signal.SIGSTOP)
        try:
            # A signal to another process takes effect a little later.
            await until(is_not_ready, "the gateway to say that it is not ready")
            assert (await client.say(room, "m2"))["error"]["code"] == "unavailable"
        finally:
            stack.children["nats"].send_signal(signal.SIGCONT)
        await stack.ready(*SERVICES)
        ack = await client.say(room, "m2")
        assert ack["ok"]
        page = await client.call("history", {"room": room})
        assert [each["id"] for each in page["messages"]] == ["m1", "m2"]
