"""Connections that break, lag, or carry nothing, and a reader that does not read."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.faults.suite.arena import GATEWAYS, Arena, one_nats_in
from tests.faults.suite.crowd import USUAL_BYTES
from tests.faults.suite.fault import Blow, fault
from tests.support.nats_server import nats_server

_LARGE_BYTES: Final = 16 * 1024
_SMALL_PENDING: Final = "max_payload: 768KB\nmax_pending: 768KB\n"


@asynccontextmanager
async def small_pending(environ: Mapping[str, str]) -> AsyncIterator[Arena]:
    """A stack whose nats-server keeps little for those who read slowly, and then drops them."""
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as data:
        async with nats_server(_SMALL_PENDING) as server, one_nats_in(Path(data), environ, server) as arena:
            yield arena


@fault()
async def all_dropped(blow: Blow) -> None:
    """All clients lose their connection at once, and come back at once."""
    before = blow.crowd.reconnects
    blow.arena.door.reset()
    await blow.everybody_comes_back(before)


@fault()
async def nats_late(blow: Blow) -> None:
    """What passes between a gateway and NATS takes 300 ms, each way."""
    with blow.arena.ways[blow.gateway()].slow(delay=0.3):
        await blow.wait(15, short=3)


@fault()
async def nats_throttled(blow: Blow) -> None:
    """Between a gateway and NATS pass 4 KiB a second, less than there is."""
    with blow.arena.ways[blow.gateway()].slow(bytes_per_second=4096):
        await blow.wait(15, short=4)


@fault()
async def nats_swallowed(blow: Blow) -> None:
    """The connection between a gateway and NATS stays open, and what NATS says is lost, until the gateway notices."""
    name = blow.gateway()
    async with blow.counted("parley_nats_revived_total", name):
        blow.arena.ways[name].swallow()


@fault()
async def reader_stopped(blow: Blow) -> None:
    """A client stops reading while much is said, until its gateway closes it, and goes on a moment later."""
    line = blow.rng.choice(blow.crowd.light)
    with line.not_reading():
        async with blow.counted("parley_gateway_slow_readers_closed_total", *GATEWAYS):
            blow.crowd.body_bytes = _LARGE_BYTES
        blow.crowd.body_bytes = USUAL_BYTES
        await blow.moment()


@fault(ground=small_pending)
async def slow_consumer(blow: Blow) -> None:
    """A gateway reads from NATS more slowly than is said, until nats-server drops it with all that waited for it."""
    name = blow.gateway()
    with blow.arena.ways[name].slow(bytes_per_second=16 * 1024):
        async with blow.counted("parley_nats_reconnects_total", name):
            blow.crowd.body_bytes = _LARGE_BYTES
        blow.crowd.body_bytes = USUAL_BYTES
