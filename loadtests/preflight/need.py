"""What a run needs of the machine, and what is found. No I/O."""

import math

import msgspec


class Need(msgspec.Struct, frozen=True):
    """What a run is going to take, on this machine."""

    connections: int
    """At once, of all processes that make load here."""
    processes: int = 1
    """That make load here; connections are spread evenly over them."""
    targets: list[tuple[str, int]] = []
    """Hosts and ports that are connected to; connections are spread evenly over them."""
    sources: list[str] = []
    """Addresses that are connected from, in turn; empty: the system chooses one.

    To be bound with IP_BIND_ADDRESS_NO_PORT: otherwise a source has each port once, for all targets together.
    """
    own_system: bool = False
    """Whether what is measured runs on this machine, too."""
    system_files: int = 0
    """The most files that one process of an own system opens: a proxy has two for each connection."""
    bytes_each: int = 100_000
    """Of memory, for a connection: the generator's, and that of an own system."""

    @property
    def each_process(self) -> int:
        """Connections of one process."""
        return math.ceil(self.connections / max(self.processes, 1))

    @property
    def each_target(self) -> int:
        """Connections to one target."""
        return math.ceil(self.connections / max(len(self.targets), 1))


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    problem: str
    """In one line, with the numbers."""
    mend: str
    """The command that mends it, with the numbers; a line for each way to do so. "": nothing does."""
    refuses: bool = False
    """Whether a run cannot work like this; otherwise it may, and a reader has to know."""
