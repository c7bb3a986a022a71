"""Hold many connections, with messages flowing, and report what became of them.

On a stack of its own: gateways behind HAProxy; or on a deployment, with --url and --tokens.

Exit code 0: every acknowledged message was received exactly once by every member, in order, and is in history; and
the SLO was kept. 1: not so. 2: the run could not be done. 3: it says nothing: the load generator was the limit, or it
failed. Ctrl-C or SIGTERM ends it early, and what there is is judged; a second one ends it at once.
"""

import asyncio
import math
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from loadtests import before, gateways, preflight
from loadtests.connections import beside, orders, own
from loadtests.connections.conductor import Conductor
from loadtests.connections.crew import Crew
from loadtests.connections.options import Options, parse
from loadtests.connections.own import System
from loadtests.connections.target import Target, TargetError
from loadtests.exits import exit_code
from loadtests.facts import Facts, Process
from loadtests.folders import reporting
from loadtests.interruption import Interruption
from loadtests.progress import Progress
from loadtests.report.conclude import Run, conclude
from loadtests.slo import DEFAULT, Slo
from loadtests.target import RunError

_SPARE: Final = 1.25
_FILES_BESIDE: Final = 500


def main(arguments: Sequence[str]) -> int:
    """Run, and return the exit code."""
    options = parse(arguments, __doc__)
    return exit_code(_main(options), TargetError, ValueError)


async def _main(options: Options) -> int:
    task = asyncio.current_task()
    if task is None:
        raise RunError("no task")
    interruption = Interruption(task)
    slo = Slo.read(options.slo or DEFAULT)
    preflight.raise_file_limit()
    if options.urls:
        system = own.given(options)
        await _check(options, options.urls)
        await before.deployment(system.api, system.tokens, options.plan.seconds_usual(options.connections))
        return await _measure(options, slo, system, interruption)
    with TemporaryDirectory(prefix="parley-connections-", ignore_cleanup_errors=True) as name:
        return await _on_own_system(options, slo, Path(name), interruption)


async def _on_own_system(options: Options, slo: Slo, folder: Path, interruption: Interruption) -> int:
    ours = own.OwnSystem(options, folder)
    await _check(options, [ours.url])
    code = 2
    try:
        async with ours.started() as system:
            code = await _measure(options, slo, system, interruption, ours)
    finally:
        if code:
            ours.show_complaints()
    return code


async def _check(options: Options, urls: Sequence[str]) -> None:
    """Raises `RunError` when this machine cannot hold so many, and `TargetError`."""
    if not options.urls and (least := own.gateways_least(options)) > options.gateways:
        raise RunError(f"HAProxy has not as many local ports to {options.gateways} gateways: --gateways {least}")
    targets = [Target(url, own.sources(options)) for url in urls]
    for each in targets:
        await each.resolve()
    need = preflight.Need(
        connections=options.connections,
        processes=options.processes,
        targets=[(address, each.port) for each in targets for address in each.addresses],
        sources=own.sources(options),
        own_system=not options.urls,
        system_files=math.ceil(options.connections / options.gateways * _SPARE) + _FILES_BESIDE,
    )
    before.fits(need)


async def _measure(
    options: Options, slo: Slo, system: System, interruption: Interruption, ours: own.OwnSystem | None = None
) -> int:
    began = time.time()
    with reporting(options.out, began) as reports:
        facts, watched, others = await _held(options, slo, system, interruption)
        facts.fallen += await ours.ended() if ours is not None else []
        results = await conclude(facts, _run(options, system, began, watched, others, slo), reports)
    return results.ending.exit_code


async def _held(
    options: Options, slo: Slo, system: System, interruption: Interruption
) -> tuple[Facts, list[Process], list[Process]]:
    """The facts, what gateways used, and what others did."""
    run, stopping = f"hold-{secrets.token_hex(4)}", asyncio.Event()
    async with (
        gateways.watching(system.metrics, system.metrics) as watch,
        beside.watched(system.pids) as others,
        Crew(_setups(options, system, run)) as crew,
    ):
        conductor = Conductor(crew, options.plan, slo, Progress(sys.stderr), stopping)
        with interruption.gently(stopping.set):
            facts = await conductor.run()
    facts.warnings += watch.warnings
    return facts, watch.processes, others


def _run(  # noqa: PLR0917 - all that there is to say
    options: Options, system: System, began: float, watched: list[Process], others: list[Process], slo: Slo
) -> Run:
    return Run(
        tool="connections",
        began=began,
        settings=_settings(options),
        target=system.words,
        urls=system.api,
        token=system.tokens[0],
        slo=slo,
        gateways=watched,
        beside=others,
        steps=options.plan.shape == "step",
    )


def _setups(options: Options, system: System, run: str) -> list[orders.Setup]:
    """Each holder has whole rooms: all members of one are in one process, and in turn on all URLs."""
    rooms = math.ceil(options.connections / options.room_size)
    count = min(options.processes, rooms)
    bounds = [min(options.connections, rooms * index // count * options.room_size) for index in range(count + 1)]
    return [
        orders.Setup(
            name=f"holder-{index + 1}",
            run=run,
            index=index,
            count=count,
            first=bounds[index],
            tokens=system.tokens[bounds[index] : bounds[index + 1]],
            urls=system.urls,
            sources=own.sources(options),
            room_size=options.room_size,
            connect_rate=options.plan.connect_rate / count,
        )
        for index in range(count)
    ]


def _settings(options: Options) -> dict[str, str | int | float | bool | None]:
    plan = options.plan
    settings: dict[str, str | int | float | bool | None] = {
        "shape": plan.shape,
        "connections": options.connections,
        "members of a room": options.room_size,
        "connections a second, arriving": plan.connect_rate,
        "messages a second": plan.rate,
        "processes": options.processes,
        "objectives": (options.slo or DEFAULT).name,
    }
    if plan.shape == "hold":
        settings["seconds"] = plan.seconds
    else:
        settings |= {"seconds of a step": plan.step_seconds, "of these not measured": plan.skipped_seconds}
    if not options.urls:
        settings |= {"gateways": options.gateways, "limits of the gateways": "lifted"}
    if sources := own.sources(options):
        settings["sources"] = ", ".join(sources)
    return settings
