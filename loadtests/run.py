"""Users against a stack of its own, or a running deployment; then the verdict, and a report.

Exit code 0: every acknowledged message was received exactly once by every member, in order, and is in history; and
the SLO was kept. 1: not so. 2: the run could not be done. 3: it says nothing: the load generator was the limit, or it
failed.

The stack's supervisor lives on asyncio and Locust on gevent, so Locust is a process of its own. It writes down facts;
they are judged here.
"""

import asyncio
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from deploy.local.process import StackError
from loadtests import gateways, locusts, mix, preflight, slo, target
from loadtests.facts import Facts
from loadtests.folders import results_folder
from loadtests.locusts import Interruption
from loadtests.options import Options, parse
from loadtests.report.conclude import Run, conclude
from loadtests.target import OwnStack, RunError, Target

__all__ = ["RunError", "main", "mint"]

_TOKEN_SPARE_SECONDS: Final = 600
_FILES_BESIDE: Final = 100
_USERS_EACH: Final = 1000
"""One process plays so many: above, it may measure itself."""


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    options = parse(arguments, __doc__)
    try:
        return asyncio.run(_main(options))
    except (RunError, StackError, slo.SloError, OSError) as error:
        print(f"loadtests: {error}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("loadtests: stopped before the verdict", file=sys.stderr)
    return 2


async def mint(options: Options, environ: Mapping[str, str]) -> bytes:
    """Tokens for all users of a run, signed with the keys that `environ` names. Raises `RunError`."""
    return await target.mint(_seats(options), _token_seconds(options), environ)


def _seats(options: Options) -> int:
    """Workers take every so manieth; they do not always have equally many users."""
    return (
        (math.ceil(options.users / options.players) + 1) * options.players if options.players > 1 else options.users
    )


def _token_seconds(options: Options) -> int:
    return int(locusts.seconds_most(options)) + _TOKEN_SPARE_SECONDS


async def _main(options: Options) -> int:
    task = asyncio.current_task()
    if task is None:
        raise RunError("no task")
    interruption = Interruption(task)
    objectives = slo.Slo.read(options.slo)
    with TemporaryDirectory(prefix="parley-loadtest-") as name:
        if options.worker_of is not None and options.tokens is not None:
            _preflight(options, [])
            await locusts.follow(options, options.worker_of, options.tokens, interruption)
            return 0
        if options.own_stack:
            return await _on_own_stack(options, objectives, Path(name), interruption)
        _preflight(options, options.urls)
        return await _measure(options, objectives, _deployment(options), Path(name), interruption)


async def _on_own_stack(options: Options, objectives: slo.Slo, folder: Path, interruption: Interruption) -> int:
    own = OwnStack(folder, gateways=options.gateways, drains=options.shape == "rolling")
    _preflight(options, own.urls)
    code = 2
    try:
        async with own.started(_seats(options), _token_seconds(options)) as system:
            code = await _measure(options, objectives, system, folder, interruption)
            for how in await own.ended():
                print(f"loadtests: {how}", file=sys.stderr)
                code = code or 1
    finally:
        if code:
            own.show_complaints()
    return code


def _deployment(options: Options) -> Target:
    return Target(
        urls=options.urls,
        metrics=options.metrics,
        tokens=options.tokens or Path(),
        hook=options.hook,
        environ=os.environ,
        words=", ".join(options.urls),
        own=False,
    )


def _preflight(options: Options, urls: list[str]) -> None:
    """Raises `RunError` when this machine cannot make that load."""
    preflight.raise_file_limit()
    here = 0 if options.bind is not None else options.users
    if options.worker_of is not None and options.expect_workers:
        here = math.ceil(options.users * options.processes / options.expect_workers)
    targets = [(parts.hostname or "", parts.port or _port(parts.scheme)) for parts in map(urlsplit, urls)]
    own = options.own_stack and options.worker_of is None
    # While one gateway restarts, another has its connections, too.
    files = here + _FILES_BESIDE if own else 0
    need = preflight.Need(here, options.processes, targets, own_system=own, system_files=files)
    findings = preflight.check(need)
    if findings:
        print(preflight.text(findings), file=sys.stderr)
    if any(each.refuses for each in findings):
        raise RunError("this machine cannot make that load; what mends it is above")
    if here > _USERS_EACH * options.processes:
        most = math.ceil(here / _USERS_EACH)
        print(f"beware: one process plays {_USERS_EACH} users well; --processes {most} is safer", file=sys.stderr)


def _port(scheme: str) -> int:
    return 443 if scheme in {"https", "wss"} else 80


async def _measure(
    options: Options, objectives: slo.Slo, system: Target, folder: Path, interruption: Interruption
) -> int:
    tokens = _tokens(system.tokens, options.users)
    path, began = folder / "facts.msgpack", time.time()
    async with gateways.watching(system.metrics) as watched:
        await locusts.lead(options, system, path, interruption)
    try:
        facts = Facts.read(path)
    except msgspec.MsgspecError as error:
        raise RunError(f"what Locust left is no facts: {error}") from None
    if interruption.came:
        facts.warnings.append("the run was ended early, by a signal")
    run = Run(
        tool="locust",
        began=began,
        settings=_settings(options),
        target=system.words,
        urls=system.urls,
        token=tokens[0],
        slo=objectives,
        gateways=watched.processes,
        steps=options.shape == "step",
    )
    results = await conclude(facts, run, results_folder(options.out, began))
    return results.ending.exit_code


def _tokens(path: Path, users: int) -> list[str]:
    tokens = path.read_text().split()
    if len(tokens) < users:
        raise RunError(f"{users} users need as many tokens; {path.name} holds {len(tokens)}")
    return tokens


def _settings(options: Options) -> dict[str, Any]:
    settings: dict[str, Any] = {"shape": options.shape, "users": options.users, "seconds": options.seconds}
    settings |= {"steps": options.steps} if options.shape == "step" else {}
    settings |= {"mix": mix.text(options.mix), "rooms": options.rooms, "spawn rate": options.spawn_rate}
    settings |= {"think seconds": options.think, "processes": options.players, "run": options.run}
    settings |= {"gateways": options.gateways} if options.own_stack else {}
    settings |= {"objectives": options.slo.name}
    return settings | ({"hook": options.hook} if options.hook else {})
