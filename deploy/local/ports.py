"""Which process listens where, on the loopback interface."""

import random
import socket
from dataclasses import dataclass, fields
from typing import Self

HOST = "127.0.0.1"
_HIGHEST = 65_535
_FREE = range(10_000, 32_768)
"""Below those of which a system gives one to each connection: they stay free until somebody listens there."""


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
        """Ports that nobody listens on now, for stacks that run side by side."""
        free = (port for port in random.sample(_FREE, len(_FREE)) if not is_taken(port))
        return cls(**{each.name: next(free) for each in fields(cls)})


def is_taken(port: int) -> bool:
    """Whether somebody listens on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
