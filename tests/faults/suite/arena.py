"""What can be broken: a stack with a proxy before its gateways, and one before NATS for each service."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import GATEWAYS
from tests.support.nats_server import NatsServer
from tests.support.proxy import Proxy
from tests.support.stacks import TestStack

_BUFFER: Final = 32 * 1024
_WAYS: Final = ("history", *GATEWAYS)


class Arena:
    """`door` is where clients connect: it leads to either gateway. `ways` are how services reach NATS."""

    def __init__(
        self, stack: TestStack, door: Proxy, ways: Mapping[str, Proxy], outside: NatsServer | None = None
    ) -> None:
        self.stack = stack
        self.door = door
        self.ways = ways
        self.outside = outside
        self.troubles: list[str] = []
        """What went wrong beside the promise: an exit code, say."""

    @property
    def output(self) -> list[str]:
        """What the processes said."""
        return self.stack.output

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://{HOST}:{self.door.port}"

    def child(self, name: str) -> Child:
        """A process."""
        return self.stack.children[name]

    def lead_to(self, *gateways: str) -> None:
        """New connections lead to one of these: what a balancer does that asks for /readyz."""
        ports = self.stack.ports
        self.door.point_at(*({"gateway-1": ports.gateway_1, "gateway-2": ports.gateway_2}[each] for each in gateways))

    async def healed(self) -> None:
        """Wait until every process runs and says that it is ready; raises `StackError`."""
        await self.stack.ready(*self.stack.children)


@asynccontextmanager
async def one_nats(environ: Mapping[str, str]) -> AsyncIterator[Arena]:
    """A stack as `make run` starts it."""
    with tempfile.TemporaryDirectory(prefix="parley-faults-") as data:
        async with one_nats_in(Path(data), environ) as arena:
            yield arena


@asynccontextmanager
async def one_nats_in(
    data: Path, environ: Mapping[str, str], outside: NatsServer | None = None
) -> AsyncIterator[Arena]:
    """The same, with its data in `data`, and perhaps on a nats-server that is not of the stack."""
    ports = Ports.free()
    nats_port, nats_url = (outside.port, outside.url) if outside is not None else (ports.nats, "")
    async with AsyncExitStack() as exits:
        ways = {name: await exits.enter_async_context(Proxy(nats_port, buffer=_BUFFER)) for name in _WAYS}
        own = {name: {"NATS_URL": f"nats://{HOST}:{way.port}"} for name, way in ways.items()}
        stack = await exits.enter_async_context(
            TestStack(data, ports=ports, nats_url=nats_url, environ=environ, own_environ=own)
        )
        exits.push_async_callback(stack.kill)
        door = await exits.enter_async_context(Proxy(ports.gateway_1, ports.gateway_2, buffer=_BUFFER))
        yield Arena(stack, door, ways, outside)
