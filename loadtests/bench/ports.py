"""Ports for what the local stack does not start."""

import socket

from deploy.local.ports import HOST


def free_port() -> int:
    """One that nobody listens on now, on the loopback interface."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
