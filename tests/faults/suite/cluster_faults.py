"""Three nats-servers that hold every message three times, and what befalls them."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import Ports
from tests.faults.suite.arena import Arena
from tests.faults.suite.fault import Blow, fault
from tests.support.nats_cluster import NatsCluster, nats_cluster
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack


class ClusterArena(Arena):
    """A stack on a cluster."""

    cluster: NatsCluster

    @property
    def output(self) -> list[str]:
        """See `Arena`; the servers of the cluster are not of the stack."""
        return [*self.cluster.output, *self.stack.output]


@asynccontextmanager
async def three_nats(environ: Mapping[str, str]) -> AsyncIterator[ClusterArena]:
    """Every message is on three servers, each on a host of its own."""
    ports = Ports.free()
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as name:
        data = Path(name)
        async with (
            nats_cluster(data) as cluster,
            TestStack(
                data / "stack",
                ports=ports,
                nats_url=",".join(cluster.urls),
                credentials=cluster.credentials,
                environ={**environ, "MESSAGES_REPLICAS": "3"},
            ) as stack,
            Proxy(ports.gateway_1, ports.gateway_2) as door,
        ):
            arena = ClusterArena(stack, door, {})
            arena.cluster = cluster
            try:
                yield arena
            finally:
                await stack.kill()


def _cluster(blow: Blow) -> NatsCluster:
    assert isinstance(blow.arena, ClusterArena)
    return blow.arena.cluster


@fault(ground=three_nats, needs_root=True)
async def nats_leader_killed(blow: Blow) -> None:
    """Kill -9 of the server that leads the stream."""
    cluster = _cluster(blow)
    await blow.kill(cluster.servers[await cluster.leader()])


@fault(ground=three_nats, needs_root=True)
async def two_nats_killed(blow: Blow) -> None:
    """Kill -9 of two of three servers: no majority is left to store anything."""
    two = blow.rng.sample(_cluster(blow).servers, 2)
    async with blow.somebody_is_refused():
        for each in two:
            await each.kill()
        await blow.wait(10, short=0)
    for each in two:
        await each.start()


@fault(ground=three_nats, needs_root=True)
async def nats_cut_off(blow: Blow) -> None:
    """The leader loses the others, and not its clients: it can store nothing, and another takes over."""
    cluster = _cluster(blow)
    host = await cluster.leader()
    await cluster.network.cut_off(host)
    await cluster.leader(but=host)
    await blow.wait(20, short=1)
    await cluster.network.connect(host)
