"""What Linux says of itself, read below a root: that of the machine, or of a test's folder."""

import re
from pathlib import Path
from typing import Final, NamedTuple

_ROWS_MOST: Final = 2_000_000
"""Of sockets that are looked at: each is a line of 150 bytes."""


class Socket(NamedTuple):
    """A line of /proc/net/tcp or tcp6; addresses as the kernel writes them, in hexadecimal digits."""

    local: str
    local_port: int
    remote: str
    remote_port: int
    state: int


class Proc:
    """Every method returns None, or nothing, for what is not there or cannot be understood."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def is_linux(self) -> bool:
        """Whether there is a /proc to read."""
        return (self._root / "proc" / "sys").is_dir()

    def text(self, path: str) -> str:
        """A file; empty when it cannot be read."""
        try:
            return (self._root / path).read_text(errors="replace")
        except OSError:
            return ""

    def numbers(self, path: str) -> list[int]:
        """All fields of a file that has nothing but numbers; empty for any other."""
        fields = self.text(path).split()
        return [int(each) for each in fields] if all(_is_number(each) for each in fields) else []

    def number(self, path: str) -> int | None:
        """The first of them."""
        return next(iter(self.numbers(path)), None)

    def file_limit(self) -> int | None:
        """How many files this process may open once its soft limit is raised to the hard one; None: no limit."""
        found = re.search(r"^Max open files\s+\S+\s+(\d+)\s", self.text("proc/self/limits"), re.MULTILINE)
        return int(found[1]) if found else None

    def memory(self, name: str) -> int | None:
        """A line of /proc/meminfo, in bytes."""
        found = re.search(rf"^{re.escape(name)}:\s+(\d+) kB", self.text("proc/meminfo"), re.MULTILINE)
        return int(found[1]) * 1024 if found else None

    def sockets(self) -> list[Socket]:
        """Of TCP, those of IPv6 included. Lines that are none are left out."""
        found: list[Socket] = []
        for name in ("proc/net/tcp", "proc/net/tcp6"):
            for line in self.text(name).splitlines()[1 : _ROWS_MOST + 1]:
                try:
                    _, local, remote, state, *_ = line.split()
                    (here, port), (there, other) = local.split(":"), remote.split(":")
                    found.append(Socket(here, int(port, 16), there, int(other, 16), int(state, 16)))
                except ValueError:
                    continue
        return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()
