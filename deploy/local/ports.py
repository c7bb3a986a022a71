"""Which process listens where, on the loopback interface."""

import random
import socket
import weakref
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Self

HOST = "127.0.0.1"
_HIGHEST = 65_535
_FREE = range(10_000, 32_768)
"""Below those of which a system gives one to each connection: they stay free until somebody listens there."""
_TRIES = 1000


@dataclass(frozen=True)
class Ports:
    """One port for each thing that listens."""

    nats: int = 14222
    nats_monitor: int = 18222
    mongo: int = 17017
    auth_admin: int = 9090
    history_admin: int = 9091
    gateway_1: int = 8080
    gateway_2: int = 8081
    gateway_1_admin: int = 9080
    gateway_2_admin: int = 9081

    @classmethod
    def shifted(cls, offset: int) -> Self:
        """The usual ports, each higher by `offset`; raises `ValueError` when one would be none."""
        ports = {each.name: getattr(cls(), each.name) + offset for each in fields(cls)}
        for name, port in ports.items():
            if not 0 < port <= _HIGHEST:
                raise ValueError(f"there is no port {port} ({name.replace('_', '-')})")
        return cls(**ports)

    @classmethod
    def free(cls) -> Self:
        """Ports that nobody has, reserved, for stacks that run side by side; raises `OSError` if there are none."""
        for _ in range(_TRIES):
            ports = cls(*random.sample(_FREE, len(fields(cls))))
            if ports.reserve():
                return ports
        raise OSError("no free ports")

    def reserve(self) -> bool:
        """Keep others from reserving any of these, in all processes, for as long as this object is kept.

        Whoever is told of them may listen there. Returns whether that was possible: nobody else has any of them.
        """
        return _reserve(asdict(self).values(), self)


def spare(count: int, owner: object) -> list[int]:
    """Ports that nobody has, reserved for as long as `owner` is kept; raises `OSError` if there are none."""
    for _ in range(_TRIES):
        ports = random.sample(_FREE, count)
        if _reserve(ports, owner):
            return ports
    raise OSError("no free ports")


def _reserve(ports: Iterable[int], owner: object) -> bool:
    held: list[socket.socket] = []
    for port in ports:
        held.append(socket.socket())
        try:
            held[-1].bind((HOST, port))
        except OSError:
            _close(held)
            return False
        held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # only now: a server can still bind
    weakref.finalize(owner, _close, held)
    return True


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


def is_taken(port: int) -> bool:
    """Whether somebody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
