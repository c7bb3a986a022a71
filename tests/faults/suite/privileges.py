"""What some faults need of the machine."""

import os
import shutil
import subprocess
from functools import cache

from tests.faults.suite.fault import Fault


def lacking(fault: Fault) -> str:
    """Why `fault` cannot happen here; empty if it can."""
    if shutil.which("node") is None:
        return "needs node"  # for one of the members
    return _lacking() if fault.needs_root else ""


@cache
def _lacking() -> str:
    if os.geteuid():
        return "needs root"
    for program in ("ip", "mount", "unshare"):
        if shutil.which(program) is None:
            return f"needs {program}"
    # Root in a container may not be allowed either.
    tried = subprocess.run(["unshare", "--mount", "--net", "true"], check=False, capture_output=True)
    return "needs root that may mount and make network namespaces" if tried.returncode else ""
