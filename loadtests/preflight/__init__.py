"""Whether this machine can make a load at all, before it is made; and what mends it.

need        what a run needs, and what a look at the machine finds
proc        what Linux says, in /proc and /sys
files       open files, of a process and of the machine
ports       local ports, of which every connection takes one per source address and target
kernel      queues of connections that come in, and the table of connections (conntrack)
machine     memory and cores
sources     addresses to connect from
"""

from pathlib import Path
from typing import Final

from loadtests.preflight import files, kernel, machine, ports, sources
from loadtests.preflight.files import raise_file_limit
from loadtests.preflight.need import Finding, Need
from loadtests.preflight.proc import Proc

__all__ = ["Finding", "Need", "check", "raise_file_limit", "text"]

_LOOKS: Final = (files.look, ports.look, kernel.look, machine.look, sources.look)


def check(need: Need, root: Path = Path("/")) -> list[Finding]:
    """All that is wrong, what refuses first; empty: the run can begin. Never raises.

    Reads /proc and /sys below `root`. What cannot be read is not judged; on a machine without /proc nothing is, and
    that is a finding, too.
    """
    proc = Proc(root)
    if not proc.is_linux:
        return [Finding("this is no Linux: nobody has looked at its limits of files, ports and connections", "")]
    found = [finding for look in _LOOKS for finding in look(need, proc)]
    return sorted(found, key=lambda finding: not finding.refuses)


def text(findings: list[Finding]) -> str:
    """For a terminal: a line for each problem, and under it what mends it."""
    lines: list[str] = []
    for each in findings:
        lines.append(f"{'cannot run' if each.refuses else 'beware'}: {each.problem}")
        lines += [f"    mend: {line}" for line in each.mend.splitlines()]
    return "\n".join(lines)
