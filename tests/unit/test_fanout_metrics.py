"""What the fan-out counts: how long members wait, and what is written to them, once for all of them."""

from typing import Any
from unittest import mock

import pytest
from msgspec import Raw

from runtime.tallies import TimeTally
from services.gateway import fanout, metrics
from services.gateway.edge import metrics as edge
from services.gateway.fanout import FanOut
from services.gateway.pushes import EventShown
from services.gateway.rooms import Room
from tests.support.edge import Clockwork, Wire, connection
from wire.messages import Author, StoredMessage

WINDOW = 0.002
MEMBERS = 3


def _waits(of: TimeTally = metrics.fan_out_duration) -> list[Any]:
    samples = {each.name.rpartition("_")[2]: each.value for each in next(iter(of.collect())).samples}
    return [samples["count"], samples["sum"]]


async def test_members_wait_for_a_turn_or_for_the_window() -> None:
    """Of a quiet room for nothing, of a busy one for what is joined: from the first of it on."""
    clockwork = Clockwork()
    with mock.patch.object(fanout, "asyncio", clockwork), mock.patch.object(fanout, "time", clockwork):
        fan_out, room = FanOut(WINDOW), Room("r")
        wires: list[Wire] = []
        for _ in range(MEMBERS):
            member, wire = connection()
            wires.append(wire)
            room.members[member] = member.session
            member.rooms.add("r")
        shown = EventShown("r", "n", Raw(b"1"), "u")
        count, total = _waits()
        packets, size = edge.sent_packets.value, edge.sent_bytes.value
        fan_out.deliver(room, shown)
        clockwork.turn()
        assert _waits() == [count + 1, pytest.approx(total)]
        assert edge.sent_packets.value - packets == MEMBERS
        one = (edge.sent_bytes.value - size) // MEMBERS
        fan_out.deliver(room, shown)
        clockwork.pass_time(WINDOW / 2)
        fan_out.deliver(room, shown)
        clockwork.pass_time(WINDOW)
        assert _waits() == [count + 2, pytest.approx(total + WINDOW, rel=1e-3)]
        assert edge.sent_packets.value - packets == 3 * MEMBERS
        assert edge.sent_bytes.value - size == 3 * MEMBERS * one
        assert sum(len(data) for wire in wires for data in wire.writes) == 3 * MEMBERS * one


async def test_a_message_has_arrived_when_it_is_written() -> None:
    """What it waits for in a busy room counts; without members there is nothing to count, and an event is none."""
    clockwork = Clockwork()
    with mock.patch.object(fanout, "asyncio", clockwork), mock.patch.object(fanout, "time", clockwork):
        fan_out, room = FanOut(WINDOW), Room("r")
        message = StoredMessage("r", 7, 0, "m", Author(id="u", display_name="U"), "x", ts=1)
        count, total = _waits(metrics.delivery_latency)
        fan_out.deliver(room, message, stored_at=clockwork.now - 5)
        clockwork.turn()
        member, _ = connection()
        room.members[member] = member.session
        member.rooms.add("r")
        fan_out.deliver(room, EventShown("r", "n", Raw(b"1"), "u"))
        clockwork.turn()
        assert _waits(metrics.delivery_latency) == [count, total]
        fan_out.deliver(room, message, stored_at=clockwork.now - 0.5)
        clockwork.pass_time(WINDOW)
        assert _waits(metrics.delivery_latency) == [count + 1, pytest.approx(total + 0.5 + WINDOW, rel=1e-3)]
