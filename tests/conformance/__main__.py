"""The official protocol suites against the edge: `python -m tests.conformance FOLDER`.

FOLDER is the root of a copy of github.com/socketio/socket.io, or its `docs`. Nothing is written there: each suite is
copied to a temporary folder and gets its dependencies from npm, as its lock file says. Port 3000 must be free, for
the suites have it written in them. Ends with 1 if a case failed that is not in `LISTED`, or one there has passed.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import uvloop

from tests.conformance import server
from web import npm

PORT: Final = 3000
SUITES: Final = ("engine.io-protocol/v4-test-suite", "socket.io-protocol/v5-test-suite")
LISTED: Final[dict[tuple[str, str], str]] = {}
"""Cases that cannot pass: suite and full title, and why. There is none."""

_RUN_SECONDS: Final = 120


def found(folder: Path) -> Path:
    """Where the suites lie in `folder`. Raises `FileNotFoundError`."""
    for docs in (folder / "docs", folder):
        if all((docs / suite / "test-suite.js").is_file() for suite in SUITES):
            return docs
    raise FileNotFoundError(f"{folder} holds no docs/{SUITES[0]} and docs/{SUITES[1]}")


def prepared(suite: Path, work: Path) -> Path:
    """A copy of a suite with its dependencies. Raises `NpmError`."""
    copy = work / suite.parent.name
    shutil.copytree(suite, copy, ignore=shutil.ignore_patterns("node_modules"))
    npm.install(copy)
    return copy


async def run(suite: Path) -> dict[str, Any]:
    """Mocha's report of a suite. Raises `ValueError` if there is none, or if it ran no case."""
    mocha = suite / "node_modules" / "mocha" / "bin" / "mocha"
    process = await asyncio.create_subprocess_exec(
        "node", str(mocha), "--reporter", "json", "test-suite.js", cwd=suite, stdout=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(_RUN_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    report: dict[str, Any] = json.loads(output)
    if not report["stats"]["passes"]:
        raise ValueError("no case has passed: did they run?")
    return report


def told(suite: str, report: dict[str, Any]) -> int:
    """Print a report; how many cases did what was not expected of them."""
    wrong = 0
    for each in report["failures"]:
        reason = LISTED.get((suite, each["fullTitle"]))
        wrong += reason is None
        print(f"{'FAILED' if reason is None else 'listed'}  {each['fullTitle']}")
        print(f"        {reason or each['err'].get('message')}")
    passed = {each["fullTitle"] for each in report["passes"]}
    for listed_in, title in LISTED:
        if listed_in == suite and title in passed:
            wrong += 1
            print(f"FAILED  {title}\n        is listed as a case that cannot pass, and has passed")
    stats = report["stats"]
    print(f"{suite}: {stats['passes']} of {stats['tests']} cases passed", flush=True)
    return wrong


async def main(folder: Path) -> int:
    """Run both, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="parley-suites-") as work:
        docs = found(folder)
        copies = {suite: prepared(docs / suite, Path(work)) for suite in SUITES}
        runner, _ = await server.start(server.suites(), PORT)
        try:
            return 1 if sum([told(suite, await run(copy)) for suite, copy in copies.items()]) else 0
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.conformance FOLDER (a copy of github.com/socketio/socket.io)")
    try:
        sys.exit(uvloop.run(main(Path(sys.argv[1]))))
    except (OSError, ValueError, npm.NpmError) as error:
        sys.exit(f"tests.conformance: {error}")
