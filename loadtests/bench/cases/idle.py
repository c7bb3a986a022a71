"""Idle: what a user in a quiet room costs, who does nothing but answer pings."""

import asyncio
from typing import Final

from loadtests.bench.measuring import US, Bench, Figures, undisturbed
from loadtests.bench.settling import settled
from loadtests.bench.targets import Traits

_ROOM_SIZE: Final = 10
_PING_INTERVAL_SECONDS: Final = 25.0
"""Engine.IO's, on all servers here: in such a time each connection is pinged once."""


class Idle:
    """All connections are members of rooms of 10, each with its user and its limits."""

    name = "idle"

    def fits(self, traits: Traits, _connections: int) -> bool:
        """Where connections are pinged."""
        return not traits.fan_out_only

    async def run(self, bench: Bench) -> Figures:
        """Memory of a connection: the server's growth by them all. CPU: over one ping interval."""
        before = bench.memory()
        async with bench.crowd() as crowd:
            await crowd.connect(bench.connections, room_size=_ROOM_SIZE)
            await crowd.join()
            await settled(bench)
            grown = bench.memory() - before
            with undisturbed():
                meter = bench.meter()
                await asyncio.sleep(_PING_INTERVAL_SECONDS)
                spent = meter.lap()
        return {
            "memory each, KiB": grown / bench.connections / 1024,
            "CPU, ms a second": spent.server_ns / spent.seconds / 1e6,
            "CPU per ping, us": spent.server_ns / spent.seconds * _PING_INTERVAL_SECONDS / bench.connections / US,
        }
