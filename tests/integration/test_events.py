"""Events: to the others in the room, as fast as they read, never stored, and so many a second."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest_asyncio

from tests.support.clients.parley import PythonClient
from tests.support.clients.recovering import RecoveringClient
from tests.support.slow_member import SlowMember
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import until

SUPERSEDED: Final = "parley_gateway_superseded_total"
CLOSED: Final = "parley_gateway_slow_readers_closed_total"
UNSENT: Final = "parley_gateway_unsent_bytes"
BIG: Final = "x" * 14_000
MIB: Final = 1 << 20
PER_SECOND: Final = 50
BURST: Final = 100


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def events() -> AsyncIterator[TestStack]:
    """A stack whose first gateway has no limits, and waits long for whoever reads nothing; the second is as usual."""
    usual = dict.fromkeys(("EVENTS_PER_SECOND", "FRAMES_PER_SECOND"), "")
    async with fresh(environ={"STALL_SECONDS": "120"}, own_environ={"gateway-2": usual}) as stack:
        yield stack


async def _flood(sender: PythonClient, room: str, name: str, numbers: range) -> None:
    """One large event for each number, some at a time."""
    for start in range(numbers.start, numbers.stop, 20):
        some = range(start, min(start + 20, numbers.stop))
        acks = await asyncio.gather(
            *(sender.call("event", {"room": room, "name": name, "data": [each, BIG]}) for each in some)
        )
        assert all(ack["ok"] for ack in acks)


def _numbers(told: list[tuple[str, Any]], room: str, name: str) -> list[int]:
    """Those of the events `name` in `room`."""
    shown = [payload for event, payload in told if event == "event"]
    return [each["data"][0] for each in shown if (each["room"], each["name"]) == (room, name)]


def _is_rising(numbers: list[int]) -> bool:
    return all(one < other for one, other in itertools.pairwise(numbers))


async def test_a_slow_reader_gets_the_newest_of_each_name_and_sender_and_all_messages(events: TestStack) -> None:
    """20 MiB of events do not close it; what it left is not told; those who read have the newest, too."""
    room, left, count = unique("slow"), unique("left"), 700
    url = events.gateway_urls[0]
    async with (
        PythonClient(url, await events.token(), transports=["websocket"]) as one,
        PythonClient(url, await events.token(), transports=["websocket"]) as two,
        SlowMember(events.ports.gateway_1, await events.token()) as slow,
    ):
        for each in (room, left):
            await slow.send("join", {"room": each})
            await slow.read_until_ack()
            await one.join(each)
            await two.join(each)
        before = {
            reason: await events.metric("gateway-1", CLOSED, reason=reason) for reason in ("behind", "overload")
        }
        superseded = await events.metric("gateway-1", SUPERSEDED, reason="newer")
        seqs: list[int] = []
        for start in range(0, count, 100):
            some = range(start, start + 100)
            await asyncio.gather(_flood(one, room, "cursor", some), _flood(two, room, "cursor", some))
            seqs.append((await one.say(room, f"m{start}"))["seq"])
        assert await events.metric("gateway-1", SUPERSEDED, reason="newer") > superseded, "it was never behind"
        await _flood(one, left, "cursor", range(3))
        await one.call("event", {"room": room, "name": "last", "data": [0]})

        async def little_waits() -> bool:
            return 0 < await events.metric("gateway-1", UNSENT) <= MIB

        await until(little_waits, "what waits to be counted")
        await slow.send("leave", {"room": left})
        told, ack = await slow.read_all_until_ack()
        assert ack["ok"]
        assert await events.metric("gateway-1", CLOSED) == sum(before.values())
        if "last" not in [payload.get("name") for _, payload in told]:
            told += await slow.read_until("event", name="last")

        assert [payload["seq"] for event, payload in told if event == "message"] == seqs
        assert _numbers(told, left, "cursor") == []
        for sender in (one, two):
            user = sender.of("session")[0]["user"]["id"]
            numbers = _numbers([each for each in told if each[1].get("user") == user], room, "cursor")
            assert numbers[-1] == count - 1
            assert _is_rising(numbers)
            assert len(numbers) < count, "a backlog"
        for reader, sender in ((one, two), (two, one)):
            user = sender.of("session")[0]["user"]["id"]

            def has_newest(reader: PythonClient = reader, user: str = user) -> bool:
                shown = [each for each in reader.of("event") if each["user"] == user and each["name"] == "cursor"]
                return bool(shown) and [each for each in shown if each["room"] == room][-1]["data"][0] == count - 1

            await until(has_newest, "the newest")

        async def has_caught_up() -> bool:
            return await events.metric("gateway-1", "parley_gateway_slow_readers") == 0

        await until(has_caught_up, "it to have caught up")
        await one.call("event", {"room": room, "name": "live", "data": [1]})
        assert _numbers(await slow.read_until("event", name="live"), room, "live") == [1], "and then all of it again"


class _Poller:
    """Polls when a test says so."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = f"{url}/socket.io/?EIO=4&transport=polling"
        self._http = http

    async def connect(self, token: str) -> None:
        """Open a session, and connect."""
        async with self._http.get(self._url) as response:
            self._url += f"&sid={(await response.json(content_type=None, loads=_opened))['sid']}"
        await self.send(f'40{{"token":"{token}"}}')

    async def send(self, packet: str) -> None:
        """Send one packet."""
        async with self._http.post(self._url, data=packet) as response:
            assert response.status == 200

    async def poll(self) -> list[str]:
        """What waits; or wait for it. A ping is answered: on a busy machine the test outlasts one."""
        async with self._http.get(self._url) as response:
            assert response.status == 200
            packets = (await response.text()).split("\x1e")
        if "2" in packets:
            await self.send("3")
        return packets


def _opened(packet: str) -> Any:
    return json.loads(packet[1:])


async def test_a_client_that_polls_too_seldom_gets_the_newest(events: TestStack) -> None:
    """What a poll takes is queued; behind it come all messages, and then the newest event and no other."""
    room = unique("polling")
    url = events.gateway_urls[0]
    async with (
        PythonClient(url, await events.token(), transports=["websocket"]) as one,
        aiohttp.ClientSession() as http,
    ):
        poller = _Poller(url, http)
        await poller.connect(await events.token())
        await poller.send(f'421["join",{{"room":"{room}"}}]')
        packets: list[str] = []
        while not any(each.startswith("431") for each in packets):
            packets += await poller.poll()
        await one.join(room)
        await _flood(one, room, "cursor", range(200))
        acks = [await one.say(room, f"m{number}") for number in range(5)]
        await _flood(one, room, "cursor", range(200, 300))
        packets = []
        while not any('"data":[299,' in each for each in packets):
            packets += await poller.poll()
        events_of = [each for each in packets if each.startswith('42["event"')]
        assert len(events_of) < 50, "a backlog"
        messages = [each for each in packets if each.startswith('42["message"')]
        assert [each.split('"seq":')[1].split(",")[0] for each in messages] == [str(ack["seq"]) for ack in acks]
        assert packets[-1] is events_of[-1]


async def test_events_are_relayed_and_never_kept(events: TestStack) -> None:
    """Not shown to who sends one; nor in history, to who joins again, or to who is recovered."""
    room = unique("volatile")
    first, second = events.gateway_urls
    async with (
        PythonClient(first, await events.token(), transports=["websocket"]) as sender,
        RecoveringClient(second, await events.token()) as other,
    ):
        await sender.join(room)
        await other.join(room)
        await sender.say(room, "m1")
        assert await sender.call("event", {"room": room, "name": "cursor", "data": {"x": 1}}) == {"ok": True}
        await until(lambda: len(other.of("event")) == 1, "the event")
        user = sender.of("session")[0]["user"]["id"]
        assert other.of("event") == [{"room": room, "name": "cursor", "data": {"x": 1}, "user": user}]
        await until(lambda: len(other.messages(room)) == 1, "the message")
        await other.close_transport()
        await sender.call("event", {"room": room, "name": "cursor", "data": {"x": 2}})
        await sender.say(room, "m2")
        assert await other.came_back()
        await until(lambda: len(other.messages(room)) == 2, "what it missed")
        async with PythonClient(second, await events.token(), transports=["websocket"]) as late:
            assert (await late.join(room, after=0))["missed"] == 2
            page = await late.call("history", {"room": room})
            assert [each["id"] for each in page["messages"]] == ["m1", "m2"]
            await sender.call("event", {"room": room, "name": "cursor", "data": {"x": 3}})
            await until(lambda: len(late.of("event")) == 1, "the next event")
            assert [each["data"]["x"] for each in late.of("event")] == [3]
        assert {each["data"]["x"] for each in other.of("event")} <= {1, 2, 3}
        assert sender.of("event") == []


async def test_a_socket_sends_so_many_events_a_second(events: TestStack) -> None:
    """50, and 100 at once, unless it is configured otherwise: the others are refused with the time to wait."""
    room = unique("limited")
    async with PythonClient(events.gateway_urls[1], await events.token(), transports=["websocket"]) as sender:
        await sender.join(room)
        before = asyncio.get_running_loop().time()
        event = {"room": room, "name": "cursor", "data": 1}
        acks = await asyncio.gather(*(sender.call("event", event) for _ in range(2 * BURST)))
        taken = asyncio.get_running_loop().time() - before
        assert BURST <= sum(ack["ok"] for ack in acks) <= BURST + PER_SECOND * taken + 1
        refused = [ack["error"] for ack in acks if not ack["ok"]]
        assert {each["code"] for each in refused} == {"rate_limited"}
        assert all(0 < each["retry_after"] <= 1 / PER_SECOND + 0.01 for each in refused)
        assert (await sender.say(room, "m"))["ok"], "which has a rate of its own"
    assert await events.metric("gateway-2", "parley_gateway_limited_total", limit="event") >= len(refused)
