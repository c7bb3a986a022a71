"""A load test as a Job of Kubernetes: `python -m loadtests.job MODULE ARGUMENTS` in each of its pods.

MODULE is `loadtests` or `loadtests.connections`. In an Indexed Job the pod with index 0 leads, and the others follow;
in any other Job there is one pod, which does all of it. Who leads writes the report, ends its log with the summary,
and stays for a while, so that the report can be fetched from the pod.

From the environment: JOB_COMPLETION_INDEX, which Kubernetes sets in Indexed Jobs, and for these LISTEN (HOST:PORT at
which who leads listens) and LEAD (HOST:PORT at which the others find it); RESULTS, the folder of the report;
KEEP_SECONDS, for how long the pod stays at most. It leaves as soon as there is a file `fetched` in RESULTS. Exit
codes are the module's.
"""

import os
import runpy
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

MODULES: Final = ("loadtests", "loadtests.connections")
FETCHED: Final = "fetched"
_KEEP_MOST: Final = 3600.0
_POLL_SECONDS: Final = 1.0


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run, and return the exit code."""
    try:
        module, *rest = arguments or ("no module",)
        part, results = role(environ), Path(environ["RESULTS"])
        seconds = min(_KEEP_MOST, float(environ.get("KEEP_SECONDS", "0")))
    except KeyError as missing:
        print(f"loadtests: {missing.args[0]} is not set", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"loadtests: KEEP_SECONDS: {error}", file=sys.stderr)
        return 2
    if module not in MODULES:
        print(f"loadtests: {module} is none of {', '.join(MODULES)}", file=sys.stderr)
        return 2
    code = _run(module, [*rest, *part, "--out", str(results)])
    summary = results / "summary.md"
    if summary.exists():
        print(summary.read_text(), flush=True)
        _keep(results, seconds)
    return code


def role(environ: Mapping[str, str]) -> list[str]:
    """The options that tell the pods of one Job apart. Raises `KeyError` for what is not set."""
    index = environ.get("JOB_COMPLETION_INDEX")
    if index is None:
        return []
    return ["--bind", environ["LISTEN"]] if index == "0" else ["--worker-of", environ["LEAD"]]


def _run(module: str, arguments: list[str]) -> int:
    """In this process, so that signals reach it as they reach it anywhere."""
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _keep(results: Path, seconds: float) -> None:
    """Until the report was fetched, or the time is over, or the pod is to go."""
    if not seconds:
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        (results / FETCHED).touch()

    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, leave)
    print(
        f"loadtests: the report is in {results} for {seconds:g} s, or until {results / FETCHED} is there", flush=True
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not (results / FETCHED).exists():
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
