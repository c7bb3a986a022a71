"""Fetch the official Socket.IO client for the chat page: `python -m web.build`.

Copies the browser bundle of what package-lock.json pins to web/vendor/. Running it again gives the same result; a
gateway that serves the page meanwhile sees the old file or the new one, never half of one.

Prints nothing but the files it wrote; exits 1 with one line, after npm's own output if npm failed.
"""

import os
import shutil
import sys
from pathlib import Path

from web import npm

WEB = Path(__file__).resolve().parent
BUNDLE = WEB / "node_modules" / "socket.io-client" / "dist"
VENDOR = WEB / "vendor"
FILES = ("socket.io.esm.min.js", "socket.io.esm.min.js.map")


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
        npm.install(WEB)
        for name in FILES:
            copy_atomically(BUNDLE / name, VENDOR / name)
    except npm.NpmError as error:
        sys.stderr.write(error.output)
        print(f"web/build.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"web/build.py: {error}", file=sys.stderr)
        return 1
    print(" ".join(f"web/vendor/{name}" for name in FILES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
