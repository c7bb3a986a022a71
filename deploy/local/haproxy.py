"""The edge of the compose stack, on this machine: Debian's HAProxy before the gateways, configured as it is there.

Only the engine's DNS is replaced, by addresses. A process needs two files for each connection: where one may not open
as many, several listen on the same port (SO_REUSEPORT, which HAProxy sets by itself), and the kernel spreads
connections over them.
"""

import math
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import aiohttp

from deploy.local import readiness
from deploy.local.ports import HOST, spare
from deploy.local.process import Child, Sink, StackError

_ROOT: Final = Path(__file__).resolve().parents[2]
_COMPOSE: Final = _ROOT / "deploy" / "compose" / "haproxy.cfg"
_WHERE: Final = "/usr/sbin:/usr/local/sbin:/usr/bin"
_FILES_BESIDE: Final = 200
_SPARE: Final = 1.25
"""The kernel spreads by a hash: some processes get more than their share, and more come while others end."""
_ANY_PAGE: Final = "/.well-known/jwks.json"
_ANSWER_SECONDS: Final = 2.0


class Server(NamedTuple):
    """A gateway: where it serves, and where it says whether it is ready."""

    port: int
    admin_port: int


def program() -> str:
    """Where it is installed; raises `StackError`, which says how to do that."""
    found = shutil.which("haproxy", path=_WHERE)
    if found is None:
        raise StackError("haproxy is not installed: apt-get install haproxy (.ci/packages installs it, too)")
    return found


def configuration(servers: Sequence[Server], port: int, metrics_port: int) -> str:
    """Compose's, with these servers by their addresses; all else stays."""
    lines = [
        f"    server gateway{number} {HOST}:{each.port} port {each.admin_port}" for number, each in enumerate(servers)
    ]
    text = _COMPOSE.read_text()
    text = text.replace("    server-template gateway 20 gateway:8080", "\n".join(lines))
    text = text.replace("init-addr none resolvers engine resolve-prefer ipv4 check port 9080", "check")
    return text.replace("bind :8080", f"bind {HOST}:{port}").replace("bind :8405", f"bind {HOST}:{metrics_port}")


class Proxies:
    """A context manager: as many HAProxies as `connections` need, all of them at `url`; none is left after it.

    Their configurations are written to `folder`. Raises `StackError` when they cannot be started.
    """

    def __init__(self, servers: Sequence[Server], connections: int, *, folder: Path, sink: Sink) -> None:
        self._servers = servers
        self._folder = folder
        self.port, *self._metrics_ports = spare(1 + how_many(connections), self)
        self.url = f"http://{HOST}:{self.port}"
        self.children = [self._child(number, sink) for number in range(1, len(self._metrics_ports) + 1)]

    async def __aenter__(self) -> Self:
        """Each of them leads to a gateway when this returns."""
        try:
            for child, metrics_port in zip(self.children, self._metrics_ports, strict=True):
                self._file(child.name).write_text(configuration(self._servers, self.port, metrics_port))
                await child.start()
            await self._ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop them: what they hold is closed."""
        await self._stop()

    def _child(self, number: int, sink: Sink) -> Child:
        name = f"haproxy-{number}"
        # -db: it stays a child of ours.
        command = [program(), "-db", "-f", str(self._file(name))]
        return Child(name, command, cwd=self._folder, environ={}, sink=sink)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.cfg"

    async def _ready(self) -> None:
        urls = [f"http://{HOST}:{port}/metrics" for port in self._metrics_ports]
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS)) as http:
            for child, url in zip(self.children, urls, strict=True):
                await readiness.wait(child, lambda url=url: readiness.answers(http, url), child.ended)  # type: ignore[misc]
            first = self.children[0]
            await readiness.wait(first, lambda: readiness.answers(http, f"{self.url}{_ANY_PAGE}"), first.ended)

    async def _stop(self) -> None:
        for child in self.children:
            await child.stop(timeout=3.0)


def how_many(connections: int) -> int:
    """How many processes it takes, with as many files as one may open here."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return 1
    return max(1, math.ceil(connections * _SPARE * 2 / max(1, files - _FILES_BESIDE)))
