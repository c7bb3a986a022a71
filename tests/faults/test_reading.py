"""Read markers and memberships while something is down, and afterwards."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from deploy.local.ports import HOST, Ports
from tests.support.clients.parley import PythonClient
from tests.support.paused import paused
from tests.support.people import Person, guest
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack
from tests.support.waiting import until

_LIST_SECONDS = 8.0
"""Two for what does not come, and the rest for a machine that is busy."""


async def _rooms(person: Person) -> list[dict[str, Any]]:
    """Their rooms, which do not take long, whatever is down."""
    began = time.monotonic()
    status, body = await person.ask("GET", "/api/rooms")
    assert status == 200
    assert time.monotonic() - began < _LIST_SECONDS
    rooms: list[dict[str, Any]] = body["rooms"]
    return rooms


async def test_markers_outlive_history_and_lists_come_without_it(own_stack: TestStack) -> None:
    """Killed, standing still, and without MongoDB; a marker is stored before it is acknowledged."""
    ann, bob = await guest(own_stack), await guest(own_stack)
    room = await ann.group(bob)
    history, mongo = own_stack.children["history"], own_stack.children["mongo"]
    async with (
        PythonClient(own_stack.gateway_urls[0], ann.token) as anns,
        PythonClient(own_stack.gateway_urls[1], ann.token) as other,
    ):
        await anns.join(room)
        first, second = [(await anns.say(room, f"m{n}"))["seq"] for n in range(2)]
        assert (await anns.call("read", {"room": room, "seq": first}))["seq"] == first
        await history.kill()
        refused = await anns.call("read", {"room": room, "seq": second})
        assert refused["error"]["code"] == "unavailable"
        (listed,) = await _rooms(ann)
        assert listed["room"] == room
        assert not listed.keys() & {"seq", "read", "unread"}
        assert (await ann.ask("GET", "/api/rooms/lobby")).body == {"room": "lobby", "kind": "public"}
        await history.start()
        await own_stack.ready("history")
        (listed,) = await _rooms(ann)
        assert (listed["seq"], listed["read"], listed["unread"]) == (second, first, 0)
        async with paused(history):
            assert not (await _rooms(ann))[0].keys() & {"unread"}
        async with paused(mongo):
            refused = await anns.call("read", {"room": room, "seq": second}, seconds=30)
            assert refused["error"]["code"] == "unavailable"

        # It may have been stored when MongoDB went on: then nobody has been told yet.
        async def reads() -> bool:
            return bool((await anns.call("read", {"room": room, "seq": second}))["ok"])

        await until(reads, "it to be answered again", seconds=40)
        await until(lambda: other.of("read")[-1:] == [{"room": room, "seq": second}], "the other device")
        assert (await _rooms(ann))[0]["read"] == second


async def test_a_gateway_that_was_cut_off_tells_what_is_still_so() -> None:
    """Not of a group that its user is no member of any more; what is published after that is delivered as ever."""
    ports = Ports.free()
    with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
        async with Proxy(ports.nats) as proxy:
            through = {"gateway-2": {"NATS_URL": f"nats://{HOST}:{proxy.port}"}}
            async with TestStack(Path(folder), ports=ports, own_environ=through) as stack:
                await _cut_off(stack, proxy, ports.nats)


async def _cut_off(stack: TestStack, proxy: Proxy, nats: int) -> None:
    ann, bob = await guest(stack), await guest(stack)
    async with (
        PythonClient(stack.gateway_urls[0], bob.token) as near,
        PythonClient(stack.gateway_urls[1], bob.token) as far,
    ):
        before = await ann.group(bob)
        await until(lambda: len(far.of("added")) == 1, "the one before")
        proxy.lead_to()

        async def is_cut_off() -> bool:
            return not await stack.is_ready("gateway-2")

        await until(is_cut_off, "the gateway to be cut off")
        kept = await ann.group(bob)
        undone = await ann.group(bob)
        await ann.remove(undone, bob)
        await near.join(kept)
        seq = (await near.say(kept, "m"))["seq"]
        assert [each["room"] for each in near.of("added")] == [before, kept, undone]
        proxy.point_at(nats)
        await until(lambda: stack.is_ready("gateway-2"), "the gateway to be back", seconds=40)
        await until(lambda: len(far.of("added")) == 2, "what is left")
        assert (await near.call("read", {"room": kept, "seq": seq}))["ok"]
        await until(lambda: far.of("read") == [{"room": kept, "seq": seq}], "what follows")
        last = await ann.group(bob)
        await until(lambda: len(far.of("added")) == 3, "what follows that")
        assert [each["room"] for each in far.of("added")] == [before, kept, last]
        async with asyncio.timeout(10), PythonClient(stack.gateway_urls[1], bob.token) as late:
            await late.join(kept)
            assert not late.of("added")
