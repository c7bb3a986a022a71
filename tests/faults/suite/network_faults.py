"""Connections that break, lag, or carry nothing, and a reader that does not read."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.local.stack import GATEWAYS
from tests.faults.suite.arena import Arena, one_nats_in
from tests.faults.suite.crowd import USUAL_BYTES
from tests.faults.suite.fault import Blow, fault
from tests.faults.suite.light_line import LightLine
from tests.support.nats_server import nats_server
from tests.support.waiting import until

_DELAY_SECONDS: Final = 0.3
_MISSED: Final = 600
"""More than a join tells, which are 500."""
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
    async with blow.everybody_comes_back():
        blow.arena.door.reset()


@fault()
async def nats_late(blow: Blow) -> None:
    """What passes between a gateway and NATS takes 300 ms, each way."""
    async with blow.felt(2 * _DELAY_SECONDS, short=2 * _DELAY_SECONDS):
        with blow.arena.ways[blow.gateway()].slow(delay=_DELAY_SECONDS):
            await blow.wait(15, short=3)


@fault()
async def nats_throttled(blow: Blow) -> None:
    """Between a gateway and NATS pass 4 KiB a second, less than there is."""
    async with blow.felt(5, short=1.5):
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


@fault()
async def member_away(blow: Blow) -> None:
    """A member is away while more is said than its join tells, and has to page back through the rest."""
    member = blow.rng.choice([each for each in blow.crowd.members if isinstance(each.line, LightLine)])
    assert isinstance(member.line, LightLine)
    before = member.paged_back
    async with member.line.away():
        await blow.crowd.shout(member.rooms[0], _MISSED, but=member)
    await until(lambda: member.paged_back > before, f"{member.name} to page back", seconds=30)


@fault(ground=small_pending)
async def slow_consumer(blow: Blow) -> None:
    """A gateway reads from NATS more slowly than is said, until nats-server drops it with all that waited for it."""
    name = blow.gateway()
    with blow.arena.ways[name].slow(bytes_per_second=16 * 1024):
        async with blow.counted("parley_nats_reconnects_total", name):
            blow.crowd.body_bytes = _LARGE_BYTES
        blow.crowd.body_bytes = USUAL_BYTES
