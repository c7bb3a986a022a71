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
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from loadtests import before, gateways, locusts, mix, slo, target
from loadtests.exits import exit_code
from loadtests.facts import Facts
from loadtests.folders import reporting
from loadtests.interruption import Interruption
from loadtests.options import Options, parse
from loadtests.report.conclude import Run, conclude
from loadtests.target import OwnStack, RunError, Target

__all__ = ["RunError", "main", "mint"]

_TOKEN_SPARE_SECONDS: Final = 600


def main(arguments: list[str]) -> int:
    """Run, and return the exit code."""
    options = parse(arguments, __doc__)
    return exit_code(_main(options))


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
    with TemporaryDirectory(prefix="parley-loadtest-", ignore_cleanup_errors=True) as name:
        if options.worker_of is not None and options.tokens is not None:
            before.machine(options, options.urls)
            before.tokens(options.tokens, 1)
            await locusts.follow(options, options.worker_of, options.tokens, interruption)
            return 0
        if options.own_stack:
            return await _on_own_stack(options, objectives, Path(name), interruption)
        before.machine(options, options.urls)
        given = _deployment(options)
        tokens = before.tokens(given.tokens, options.users)[: options.users]
        await before.deployment(given.urls, tokens, locusts.seconds_usual(options))
        return await _measure(options, objectives, given, Path(name), interruption)


async def _on_own_stack(options: Options, objectives: slo.Slo, folder: Path, interruption: Interruption) -> int:
    own = OwnStack(folder, gateways=options.gateways, drains=options.shape == "rolling")
    before.machine(options, own.urls)
    code = 2
    try:
        async with own.started(_seats(options), _token_seconds(options)) as system:
            code = await _measure(options, objectives, system, folder, interruption, own.ended)
    finally:
        if code:
            own.show_complaints()
    return code


def _deployment(options: Options) -> Target:
    return Target(
        urls=options.urls,
        metrics=dict(zip(options.metrics, options.metrics, strict=True)),
        tokens=options.tokens or Path(),
        hook=options.hook,
        environ=os.environ,
        words=", ".join(options.urls),
        own=False,
    )


async def _nothing() -> list[str]:
    return []


async def _measure(  # noqa: PLR0917 - all that there is to it
    options: Options,
    objectives: slo.Slo,
    system: Target,
    folder: Path,
    interruption: Interruption,
    fallen: Callable[[], Awaitable[list[str]]] = _nothing,
) -> int:
    """`fallen`: which processes of the system have ended by themselves."""
    path, began = folder / "facts.msgpack", time.time()
    with reporting(options.out, began) as reports:
        async with gateways.watching(system.metrics, system.metrics) as watched:
            trouble = await locusts.lead(options, system, path, interruption)
        try:
            facts = Facts.read(path)
        except msgspec.MsgspecError as error:
            raise RunError(f"what Locust left is no facts: {error}") from None
        facts.warnings += watched.warnings
        facts.invalid += trouble
        facts.fallen += await fallen()
        if interruption.came:
            facts.warnings.append("the run was ended early, by a signal")
        run = Run(
            tool="locust",
            began=began,
            settings=_settings(options),
            target=system.words,
            urls=system.urls,
            token=before.tokens(system.tokens, options.users)[0],
            slo=objectives,
            gateways=watched.processes,
            steps=options.shape == "step",
        )
        results = await conclude(facts, run, reports)
    return results.ending.exit_code


def _settings(options: Options) -> dict[str, Any]:
    settings: dict[str, Any] = {"shape": options.shape, "users": options.users, "seconds": options.seconds}
    settings |= {"steps": options.steps} if options.shape == "step" else {}
    settings |= {"mix": mix.text(options.mix), "rooms": options.rooms, "spawn rate": options.spawn_rate}
    settings |= {"think seconds": options.think, "processes": options.players, "run": options.run}
    settings |= {"gateways": options.gateways} if options.own_stack else {}
    settings |= {"objectives": options.slo.name}
    return settings | ({"hook": options.hook} if options.hook else {})
