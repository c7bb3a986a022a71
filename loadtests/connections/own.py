"""The system that is held on to: a stack of our own, its gateways behind HAProxy, or a deployment that is given."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from deploy.local import haproxy
from deploy.local.ports import HOST, Ports
from deploy.local.stack import Stack
from deploy.local.unlimited import UNLIMITED
from loadtests import before
from loadtests.connections.options import Options
from loadtests.target import Complaints, fallen, mint

_TOKEN_SPARE_SECONDS: Final = 600
_PORTS_OF_A_SOURCE: Final = 25_000
"""Of the 28,000 that Linux gives; the rest is for connections that just end."""


class System(msgspec.Struct, frozen=True):
    """What a run has to know of it."""

    urls: list[str]
    """Where connections go, in turn."""
    api: list[str]
    """Where the histories are read."""
    metrics: dict[str, str]
    """The name of a gateway by the URL of its /metrics."""
    tokens: list[str]
    words: str
    pids: dict[str, int] = {}
    """What else runs here for it, by name."""


class OwnSystem:
    """Limits lifted, the configuration of the proxy compose's own. Raises `StackError` without HAProxy."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._complaints = Complaints()
        self._stack = Stack(
            folder / "stack", Ports.free(), sink=self._complaints, environ=UNLIMITED, gateways=options.gateways
        )
        servers = [haproxy.Server(each.port, each.admin_port) for each in self._stack.gateways]
        self._proxies = haproxy.Proxies(servers, options.connections, folder=folder, sink=self._complaints)

    @property
    def url(self) -> str:
        """Where it will listen."""
        return self._proxies.url

    @asynccontextmanager
    async def started(self) -> AsyncIterator[System]:
        """Inside the block it runs. Raises `StackError`, `RunError` and `OSError`."""
        stack, proxies, options = self._stack, self._proxies, self._options
        async with stack, proxies:
            self._complaints.clear()  # it has started
            seconds = math.ceil(options.plan.seconds_most(options.connections)) + _TOKEN_SPARE_SECONDS
            tokens = (await mint(options.connections, seconds, stack.environment("auth"))).decode().split()
            others = {name: child.pid for name, child in stack.children.items() if not name.startswith("gateway")}
            count = len(proxies.children)
            yield System(
                urls=[proxies.url],
                api=stack.gateway_urls,
                metrics=dict(zip(stack.metrics_urls, (each.name for each in stack.gateways), strict=True)),
                tokens=tokens,
                words=f"{len(stack.gateways)} gateways behind HAProxy ({count} process{'es' if count > 1 else ''}), "
                "a stack of its own on this machine",
                pids={child.name: child.pid for child in proxies.children} | others,
            )

    async def ended(self) -> list[str]:
        """Which of its processes have ended though nobody told them to, and how; while it runs."""
        return await fallen([*self._stack.children.values(), *self._proxies.children])

    def show_complaints(self) -> None:
        """What its processes said, beside the usual."""
        self._complaints.show()


def sources(options: Options) -> list[str]:
    """Addresses to connect from: as told; of an own system as many of the loopback's as it takes. Empty: any."""
    count = math.ceil(options.connections / _PORTS_OF_A_SOURCE)
    if options.sources or options.urls or count == 1:
        return options.sources
    # Not the first: what else connects to the proxies comes from there.
    return [f"{HOST.rpartition('.')[0]}.{number}" for number in range(2, 2 + count)]


def gateways_least(options: Options) -> int:
    """HAProxy connects to each of them from one address."""
    return math.ceil(options.connections / _PORTS_OF_A_SOURCE)


def given(options: Options) -> System:
    """A deployment. Raises `RunError` and `OSError`."""
    tokens = before.tokens(options.tokens or Path(), options.connections, of="connections")[: options.connections]
    words = ", ".join(options.urls)
    return System(options.urls, options.urls, dict(zip(options.metrics, options.metrics, strict=True)), tokens, words)
