"""The kernel's own bounds: connections that wait to be accepted, and the table of all connections."""

from collections.abc import Iterator
from typing import Final

from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc

_QUEUE: Final = 1024
"""What may come at once; above it a connection is tried again after a second, which shows as a slow connect."""
_SPARE: Final = 1.2
"""Connections that have ended stay in the table for up to two minutes."""


def look(need: Need, proc: Proc) -> Iterator[Finding]:
    """The queues only when the system is here: they are where it listens."""
    if need.own_system:
        for name in ("net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"):
            least = min(need.connections, _QUEUE)
            most = proc.number(f"proc/sys/{name.replace('.', '/')}")
            if most is not None and most < least:
                yield Finding(
                    f"{name} is {most}: of connections that come at once some wait for a second",
                    f"sysctl -w {name}={_QUEUE}",
                )
    yield from _table(need, proc)


def _table(need: Need, proc: Proc) -> Iterator[Finding]:
    most = proc.number("proc/sys/net/netfilter/nf_conntrack_max")
    taken = proc.number("proc/sys/net/netfilter/nf_conntrack_count")
    if not most or taken is None:  # the module is not there, or 0: without a bound
        return
    # With a proxy on this machine each connection is there twice.
    needed = taken + int(need.connections * (2 if need.own_system else 1) * _SPARE)
    if needed > most:
        problem = f"the table of connections (conntrack) has room for {most}, {taken} are taken, {needed} are needed"
        mend = f"sysctl -w net.netfilter.nf_conntrack_max={needed}   (of a container: on its host)"
        yield Finding(problem, mend, refuses=True)
