"""How much memory this process may have: what its control group says, or one of those around it.

https://docs.kernel.org/admin-guide/cgroup-v2.html, "memory.max"; and `memory.limit_in_bytes` of version 1.
"""

from pathlib import Path, PurePosixPath
from typing import Final

_NONE: Final = 1 << 60
"""Version 1 has a number near 2**63 for no limit."""
_ROOT: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def read(root: Path = _ROOT, own: Path = _OWN) -> int:
    """Bytes; 0 for no limit, and where nothing can be known of it. Never raises."""
    try:
        groups = own.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return 0
    limits = [limit for line in groups for limit in _limits(root, line)]
    return min(limits, default=0)


def _limits(root: Path, line: str) -> list[int]:
    number, _, rest = line.partition(":")
    controllers, _, name = rest.partition(":")
    if number == "0" and not controllers:
        folder, file = root, "memory.max"
    elif "memory" in controllers.split(","):
        folder, file = root / "memory", "memory.limit_in_bytes"
    else:
        return []
    group = PurePosixPath(name.lstrip("/"))
    # In a container of its own namespace its group is the root; in others the path leads out of what is mounted here.
    found = (_limit(folder / each / file) for each in (group, *group.parents))
    return [limit for limit in found if limit]


def _limit(path: Path) -> int:
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return 0
    return int(text) if text.isdigit() and int(text) < _NONE else 0
