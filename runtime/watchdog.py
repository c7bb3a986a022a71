"""Tears down a connection to NATS that claims to be up and carries nothing."""

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from runtime import metrics

if TYPE_CHECKING:
    from runtime.bus import Bus

_PROBE_SECONDS: Final = 2.0
_PROBES_BEFORE_REVIVAL: Final = 3

log = structlog.get_logger()


async def watch(bus: "Bus") -> None:
    """Probe for ever; so many failures in a row, while connected, and the connection is made again."""
    failures = 0
    while True:
        await asyncio.sleep(_PROBE_SECONDS)
        if await bus.round_trip(_PROBE_SECONDS):
            failures = 0
        elif bus.client.is_connected:
            failures += 1
        if failures >= _PROBES_BEFORE_REVIVAL:
            failures = 0
            metrics.nats_revived.inc()
            log.warning("nats connection is up but carries nothing, reconnecting")
            await bus.client.force_reconnect()
