"""A fault: what it does to an arena, and on which ground. `catalogue` has them all."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from deploy.local.process import Child
from deploy.local.stack import GATEWAYS
from tests.faults.suite.arena import Arena, one_nats
from tests.faults.suite.crowd import Crowd
from tests.support.waiting import until

_COUNTED_SECONDS: Final = 40.0

Ground = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Arena]]
"""Makes an arena whose services have these settings."""


@dataclass(frozen=True)
class Blow:
    """What a fault has to work with. All that is random comes from `rng`."""

    arena: Arena
    crowd: Crowd
    rng: random.Random
    is_short: bool
    """Whether this is the cut that runs in `make test`."""

    async def wait(self, seconds: float, *, short: float) -> None:
        """Let it last, in the short cut only `short` seconds."""
        await asyncio.sleep(short if self.is_short else seconds)

    async def moment(self) -> None:
        """A random moment."""
        await self.wait(self.rng.uniform(0, 3), short=self.rng.uniform(0, 1))

    def gateway(self) -> str:
        """Either of them."""
        return self.rng.choice(GATEWAYS)

    async def kill(self, child: Child) -> None:
        """Kill -9, and start it again a moment later."""
        await child.kill()
        await self.moment()
        await child.start()

    @asynccontextmanager
    async def counted(self, metric: str, *services: str, **labels: str) -> AsyncIterator[None]:
        """Stay in the block until one of `services` has counted more: a fault that does nothing shows nothing."""

        async def count() -> float:
            return sum([await self.arena.stack.metric(each, metric, **labels) for each in services])

        async def is_counted() -> bool:
            return await count() > before

        before = await count()
        yield
        await until(is_counted, f"{metric} to rise", seconds=_COUNTED_SECONDS, every=0.5)

    @asynccontextmanager
    async def somebody_is_refused(self) -> AsyncIterator[None]:
        """Stay in the block until a gateway has answered a message with `unavailable`."""
        metric = "parley_gateway_events_total"
        async with self.counted(metric, *GATEWAYS, event="message", result="unavailable"):
            yield

    @asynccontextmanager
    async def felt(self, seconds: float, *, short: float) -> AsyncIterator[None]:
        """Stay in the block until somebody has waited so long in it for an outcome: as `counted`."""
        since, least = time.monotonic(), short if self.is_short else seconds
        yield
        await until(
            lambda: self.crowd.longest_wait(since) >= least,
            f"somebody to wait for {least:g} s",
            seconds=_COUNTED_SECONDS,
        )

    @asynccontextmanager
    async def everybody_comes_back(self) -> AsyncIterator[None]:
        """Stay in the block until each member has connected again."""
        before = {each.name: each.connects for each in self.crowd.members}
        yield
        await until(
            lambda: all(each.connects > before[each.name] for each in self.crowd.members),
            "all to come back",
            seconds=_COUNTED_SECONDS,
        )


@dataclass(frozen=True)
class Fault:
    """`strike` returns once whatever it did is undone; things need not be well again by then."""

    name: str
    ground: Ground
    needs_root: bool
    """Root that may mount, and make network namespaces."""
    strike: Callable[[Blow], Awaitable[None]]
    absence_most: Callable[[float], float] | None = None
    """How long a member may be away, given DRAIN_SECONDS; None: as long as it takes to heal."""


def fault(
    *, ground: Ground = one_nats, needs_root: bool = False, absence_most: Callable[[float], float] | None = None
) -> Callable[[Callable[[Blow], Awaitable[None]]], Fault]:
    """Make a fault of a function, named after it."""

    def made(strike: Callable[[Blow], Awaitable[None]]) -> Fault:
        return Fault(strike.__name__.replace("_", "-"), ground, needs_root, strike, absence_most)

    return made
