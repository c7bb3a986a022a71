"""Locust, which lives on gevent, as a process of its own beside the asyncio of the run."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.local.ports import HOST, spare
from deploy.local.process import end_with_parent
from deploy.local.stack import ROOT
from loadtests import mix
from loadtests.interruption import Interruption
from loadtests.options import HOOK_SECONDS, Options
from loadtests.target import RunError, Target

_LOCUSTFILE: Final = Path(__file__).with_name("locustfile.py")
_STOP_TIMEOUT: Final = 20
_WORKERS_SECONDS: Final = 300
"""How long who leads waits for all workers."""
_END_SECONDS: Final = 110.0
"""For an end in order: everything arrives, and is handed over."""
_FILL_SECONDS: Final = 40.0
_BESIDE_SECONDS: Final = 200.0
_FOLLOW_SECONDS: Final = 6 * 3600.0


def seconds_most(options: Options) -> float:
    """Longer than this no run takes, from its first user to its facts."""
    fills = options.steps if options.shape == "step" else 3
    arriving = options.users / options.spawn_rate * 2 + fills * _FILL_SECONDS
    return (
        options.seconds
        + arriving
        + (HOOK_SECONDS if options.hook or options.shape == "rolling" else 0)
        + _BESIDE_SECONDS
    )


def seconds_usual(options: Options) -> float:
    """About as long a run takes that is played to its end."""
    return options.seconds + options.users / options.spawn_rate


async def lead(options: Options, target: Target, facts: Path, interruption: Interruption) -> list[str]:
    """Play the users, or lead those who do; returns when the facts are in `facts`. Raises `RunError`.

    Failed requests are facts, and no bad end. Gives why they are not those of a whole run, if they are not.
    """
    command = [*_common(target.tokens), "--users", options.users, "--spawn-rate", options.spawn_rate]
    command += ["--stop-timeout", _STOP_TIMEOUT, "--expect-workers-max-wait", _WORKERS_SECONDS]
    command += ["--shape", options.shape, "--seconds", options.seconds, "--steps", options.steps]
    command += ["--mix", mix.text(options.mix), "--rooms", options.rooms, "--think", options.think]
    command += ["--run", options.run, "--hook", options.hook or target.hook, "--slo", options.slo]
    command += ["--json-file", facts.with_name("locust")]  # no tables beside ours
    command += ["--facts", facts, *(part for url in target.urls for part in ("--url", url))]
    if options.bind is not None:
        host, port = options.bind
        command += ["--master", "--master-bind-host", host, "--master-bind-port", port]
        command += ["--expect-workers", options.expect_workers]
    elif options.processes > 1:
        command += ["--processes", options.processes, *_here(interruption)]
    most = seconds_most(options) + _WORKERS_SECONDS
    code, in_time = await _run(command, target.environ, interruption, most)
    if not facts.exists():  # noqa: ASYNC240 - nothing else is going on
        raise RunError(f"locust ended with exit code {code} before any user came")
    return [] if in_time else [f"it was not over after {most:.0f} s, and was ended"]


async def follow(options: Options, place: tuple[str, int], tokens: Path, interruption: Interruption) -> None:
    """Play a share of the users of who leads at `place`, until they say that it is over. Raises `RunError`."""
    host, port = place
    command = [*_common(tokens), "--worker", "--master-host", host, "--master-port", port]
    if options.processes > 1:
        command += ["--processes", options.processes]
    code, _ = await _run(command, os.environ, interruption, _FOLLOW_SECONDS)
    if code:
        raise RunError(f"locust ended with exit code {code}")


def _common(tokens: Path) -> list[object]:
    command: list[object] = [sys.executable, "-m", "locust", "-f", _LOCUSTFILE, "--headless", "--only-summary"]
    command += ["--loglevel", "WARNING", "--exit-code-on-error", 0, "--tokens", tokens]
    return command


def _here(owner: object) -> list[object]:
    """A port for the workers of this host, so that two runs can be made side by side; reserved for `owner`."""
    [port] = spare(1, owner)
    return ["--master-bind-host", HOST, "--master-bind-port", port, "--master-host", HOST, "--master-port", port]


async def _run(
    command: Sequence[object], environ: Mapping[str, str], interruption: Interruption, seconds: float
) -> tuple[int, bool]:
    """Its exit code, and whether it ended within `seconds`; one that does not is ended."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=ROOT, env=dict(environ), stdin=DEVNULL, stdout=DEVNULL, start_new_session=True,
        preexec_fn=end_with_parent,
    )  # fmt: skip
    ending = asyncio.Event()

    def end() -> None:
        ending.set()
        with suppress(ProcessLookupError):
            process.terminate()

    try:
        with interruption.gently(end):
            in_time = await _ended(process, ending, seconds)
    finally:
        # Its workers are in its session; those that it forked do not always end with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = await process.wait()
    return code, in_time


async def _ended(process: Process, ending: asyncio.Event, seconds: float) -> bool:
    """Wait until it ends, or until it had its time to do so; whether it did before it was told to by the clock."""
    over, told = asyncio.create_task(process.wait()), asyncio.create_task(ending.wait())
    try:
        await asyncio.wait({over, told}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        in_time = ending.is_set() or process.returncode is not None
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait({over}, timeout=_END_SECONDS)
        return in_time
    finally:
        over.cancel()
        told.cancel()
