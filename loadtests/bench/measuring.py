"""One measurement: a fresh server, a crowd, and the figures that come of them."""

import gc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from loadtests.bench.crowd import Crowd
from loadtests.bench.machine import Meter, memory_bytes
from loadtests.bench.targets import Target, Traits

Figures = dict[str, float]
"""What was measured, by a name that ends with its unit."""


@dataclass
class Bench:
    """What a case measures with.

    `elsewhere` tells what no message waits for, of all targets. `notes` lasts for the whole run: what one measurement
    tells another. `remarks` is for the reader: what stands between this measurement and what its name says.
    """

    target: Target
    connections: int
    seconds: float
    elsewhere: Callable[[], Sequence[int]]
    notes: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def meter(self) -> Meter:
        """Counts from now on."""
        return Meter([self.target.server()], self.target.beside())

    def memory(self) -> int:
        """Of the server, in bytes."""
        return memory_bytes(self.target.server())

    @asynccontextmanager
    async def crowd(self, gateway: int = 1, first_user: int = 0) -> AsyncIterator[Crowd]:
        """A crowd, that has left again afterwards; raises `ClientError` when it did not go well."""
        crowd = Crowd(self.target, gateway, first_user)
        try:
            yield crowd
            crowd.check()
        finally:
            await crowd.drop()


class Case(Protocol):
    """Something that is measured."""

    name: str

    def fits(self, traits: Traits, connections: int) -> bool:
        """Whether it can be measured there."""

    async def run(self, bench: Bench) -> Figures:
        """Measure. Raises `ClientError` when anything was lost, refused, or delivered twice."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without this process's garbage collector, which would walk a million objects in the middle of it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


US: Final = 1000
"""Nanoseconds in a microsecond: figures are in microseconds."""
