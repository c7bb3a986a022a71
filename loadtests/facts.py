"""What the processes that make the load hand over: facts, which are judged elsewhere. No I/O but for one file."""

from pathlib import Path
from typing import Final

import msgspec

from checker.account import Account
from loadtests.timeline import Timeline

SETTLE_SECONDS: Final = 30.0
"""How long what is under way at the end is waited for."""


class Phase(msgspec.Struct, frozen=True):
    """A part of a run: `ramp`, `hold`, `spike`, `step 3`, ... In seconds of the epoch."""

    name: str
    begin: float
    end: float
    measured: bool = True
    """Whether all SLOs count in it: not while users arrive, say. See `counted`."""


class Moment(msgspec.Struct, frozen=True):
    """Something that happened to the run, which a reader of its charts has to know of."""

    at: float
    """In seconds of the epoch."""
    text: str


class Usage(msgspec.Struct, frozen=True):
    """What a process used in one second."""

    at: int
    """Which second of the epoch."""
    cpu_percent: float
    """Of one core."""
    memory_bytes: int
    connections: int | None = None
    """Of a gateway."""
    lag_seconds: float | None = None
    """Of a generator: how much later than it was to its loop ran."""
    waiting_percent: float | None = None
    """Of a generator: for which part of the time its loop could have run, and no core was free; None: unknown."""


class Process(msgspec.Struct):
    """One process over time: a generator, or a gateway."""

    name: str
    host: str
    usage: list[Usage] = []


class Facts(msgspec.Struct):
    """All that the generators know of a run."""

    account: Account = msgspec.field(default_factory=Account)
    timeline: Timeline = msgspec.field(default_factory=Timeline)
    phases: list[Phase] = []
    moments: list[Moment] = []
    generators: list[Process] = []
    gateways: dict[str, int] = {}
    """How many connections each gateway greeted."""
    settled: bool = False
    """Whether everything had arrived within `SETTLE_SECONDS`."""
    partial: bool = False
    """Whether the accounts of some are missing: what nobody has sent may be theirs."""
    crashes: list[str] = []
    """Defects of the load test itself."""
    invalid: list[str] = []
    """Why the run says nothing about the system: one line each."""
    warnings: list[str] = []
    fallen: list[str] = []
    """Processes of an own system that ended though nobody told them to: how, one line each."""

    def add(self, other: "Facts") -> None:
        """What another process hands over: all but the phases and moments, which are the conductor's."""
        self.account.add(other.account)
        self.timeline.add(other.timeline)
        self.generators += other.generators
        for name, count in other.gateways.items():
            self.gateways[name] = self.gateways.get(name, 0) + count
        self.settled = self.settled and other.settled
        self.crashes += other.crashes
        self.invalid += [each for each in other.invalid if each not in self.invalid]
        self.warnings += [each for each in other.warnings if each not in self.warnings]

    def packed(self) -> bytes:
        """As MessagePack."""
        return msgspec.msgpack.encode(self)

    def write(self, path: Path) -> None:
        """Write it, as MessagePack; raises `OSError`."""
        path.write_bytes(self.packed())

    @classmethod
    def read(cls, path: Path) -> "Facts":
        """Raises `OSError`, and `msgspec.MsgspecError` for a file that is none."""
        return msgspec.msgpack.decode(path.read_bytes(), type=cls)
