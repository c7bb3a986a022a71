"""Open files: every connection is one, in the process that holds it and in the machine."""

import math
import resource
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc

BESIDE: Final = 200
"""What a process has open beside its connections: Python, its log, a report, connections that just end."""
_UNLIMITED: Final = 1 << 20
"""Where there is no limit: as Linux has it (`fs.nr_open`), and other systems do not take infinity."""


def raise_file_limit(least: int = 0) -> int:
    """Let this process and those it starts open as many files as they may; returns how many. Never raises.

    That is the hard limit, which a privileged process raises to `least` as well.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _UNLIMITED
    if hard != resource.RLIM_INFINITY and hard < least:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (least, least))
            return least
    most = _UNLIMITED if hard == resource.RLIM_INFINITY else hard
    if most > soft:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return most
    return soft


def look(need: Need, proc: Proc) -> Iterator[Finding]:
    """Of a process that makes load, of one of the system's, and of all together."""
    limit = proc.file_limit()
    if limit is not None:
        needed = need.each_process + BESIDE
        if needed > limit:
            more = math.ceil(need.connections / (limit - BESIDE)) if limit > BESIDE else 0
            yield _too_low(f"{need.each_process} connections in one process", needed, limit, processes=more)
        if need.own_system and need.system_files > limit:
            yield _too_low("one process of the system", need.system_files, limit)
    yield from _of_the_machine(need, proc)


def _too_low(whose: str, needed: int, limit: int, processes: int = 0) -> Finding:
    ways = [
        f"ulimit -n {needed}   (as root, in the shell that starts it)",
        f"echo '* - nofile {needed}' >> /etc/security/limits.conf   (and log in again)",
        f"LimitNOFILE={needed}   (in its unit of systemd)",
        f"docker run --ulimit nofile={needed}:{needed}   (of a container)",
    ]
    if processes:
        ways.append(f"--processes {processes}   (each has a limit of its own)")
    return Finding(
        f"{needed} open files are needed for {whose}, and {limit} are allowed", "\n".join(ways), refuses=True
    )


def _of_the_machine(need: Need, proc: Proc) -> Iterator[Finding]:
    most = proc.number("proc/sys/fs/file-max")
    taken = proc.number("proc/sys/fs/file-nr")
    if most is None or taken is None:
        return
    # With the system here, each connection has another end; and two more where a proxy is between.
    needed = taken + need.connections * (4 if need.own_system else 1) + BESIDE * need.processes
    if needed > most:
        problem = f"{needed} open files are needed on this machine, and {most} are allowed"
        yield Finding(problem, f"sysctl -w fs.file-max={needed}", refuses=True)
