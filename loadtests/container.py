"""The load test in a container beside the system: `python -m loadtests.container --users 50 --seconds 60`.

Signs the tokens of its users with the keys in SIGNING_KEYS_DIR, waits until PARLEY_URL answers, and runs
`python -m loadtests` against it. Takes the arguments of that, and has its exit codes. PARLEY_METRICS is where the
gateways tell what they use, if it is set.
"""

import asyncio
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loadtests import run
from loadtests.options import Options, parse

_WAIT_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    with TemporaryDirectory(prefix="parley-loadtest-") as folder:
        try:
            url = os.environ["PARLEY_URL"]
            tokens = Path(folder, "tokens")
            mine = ["--url", url, "--tokens", str(tokens)]
            if metrics := os.environ.get("PARLEY_METRICS"):
                mine += ["--metrics", metrics]
            options = parse([*mine, *arguments], __doc__)  # before it waits for anything
            _wait(url)
            tokens.touch(mode=0o600)
            tokens.write_bytes(asyncio.run(_mint(options)))
        except KeyError as missing:
            print(f"loadtests: {missing.args[0]} is not set", file=sys.stderr)
        except (run.RunError, OSError) as error:
            print(f"loadtests: {error}", file=sys.stderr)
        else:
            return run.main([*mine, *arguments])
    return 2


async def _mint(options: Options) -> bytes:
    return await run.mint(options, os.environ)


def _wait(url: str) -> None:
    """Raises `RunError` when the system does not let anybody in for too long."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            # Comes from auth, by way of a gateway.
            with urllib.request.urlopen(f"{url}/.well-known/jwks.json", timeout=_ANSWER_SECONDS):  # noqa: S310
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise run.RunError(f"{url} does not answer, for {_WAIT_SECONDS:g} s: {error}; is it up?") from None
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
