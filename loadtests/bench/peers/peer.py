"""What all peers have in common: brokers that stay, servers that are renewed, and an end of all of them."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from loadtests.bench.machine import Cores
from loadtests.bench.processes import Processes, pids
from loadtests.bench.targets import Traits


class Peer(ABC):
    """See `targets.Target`. `environ` is what its processes are told beside the environment of the benchmark.

    A peer says how it is prepared and renewed, where it listens, and how a client gets in.
    """

    def __init__(self, traits: Traits, folder: Path, cores: Cores, environ: Mapping[str, str] | None = None) -> None:
        self.traits = traits
        self._folder = folder
        self._processes = Processes(folder, {**os.environ, **(environ or {})}, cores)

    async def __aenter__(self) -> Self:
        """Start what stays, and the servers once to see that they can be."""
        self._folder.mkdir()
        try:
            await self.prepare()
            await self.renew()
        except BaseException:
            await self._processes.end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End all."""
        await self._processes.end()

    @abstractmethod
    async def prepare(self) -> None:
        """Install what must be, and start the brokers; raises `TargetError` when that cannot be done."""

    @abstractmethod
    async def renew(self) -> None:
        """See `targets.Target`."""

    def server(self) -> int:
        """The first, with its children."""
        return self._processes.servers[0].pid

    def beside(self) -> Sequence[int]:
        """The brokers."""
        return pids(self._processes.brokers)

    def elsewhere(self) -> Sequence[int]:
        """None: a message goes through all that a peer has."""
        return ()

    def complaints(self) -> list[str]:
        """The last lines of all processes."""
        return self._processes.output.lines()
