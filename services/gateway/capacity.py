"""What a gateway has room for: shown with its metrics; and whether it may open as many files as that takes."""

import resource
from typing import Final

import structlog

from services.gateway.allowed import Allowed
from services.gateway.edge.metrics import connections_limit, limited, limits

_BESIDE: Final = 100
"""For NATS, the admin port, what Python has open, and a page that is read."""

log = structlog.get_logger()


def prepare(allowed: Allowed) -> None:
    """Once, at the start."""
    connections_limit.set(allowed.connections_most)
    for limit, most in allowed.shown.items():
        limits.labels(limit=limit).set(most)
        limited.labels(limit=limit)  # there from the start, at 0
    limited.labels(limit="verifications")
    make_room(allowed.connections_most + allowed.http_connections_most)


def make_room(connections: int) -> None:
    """Let this process open as many files as that takes, if it may say so; otherwise log a warning."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _BESIDE
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < needed:
        log.warning(
            "this process may not open enough files: raise the limit of open files, or set CONNECTIONS_MOST lower",
            may_open=most,
            needed=needed,
        )
