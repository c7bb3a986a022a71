"""The command: measure, show, write down."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from deploy.local.process import StackError
from loadtests.bench import report, results, verdicts
from loadtests.bench.cases import ALL
from loadtests.bench.machine import Cores, MachineError
from loadtests.bench.options import Options, parse
from loadtests.bench.parley import Parley
from loadtests.bench.peers import peers
from loadtests.bench.peers.send_loop import SendLoop
from loadtests.bench.run import Run
from loadtests.bench.targets import Target, TargetError


def main(arguments: list[str]) -> int:
    """0: everything was measured. 1: something failed, or was skipped. 2: nothing could be measured."""
    options = parse(arguments, [each.name for each in ALL])
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_main(options))
    except (MachineError, StackError, TargetError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("bench: stopped", file=sys.stderr)
    return 2


async def _main(options: Options) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    cores = Cores.of_this_machine()
    os.sched_setaffinity(0, {cores.rest})  # every process that is started inherits it
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    run = Run(options, cores)
    with TemporaryDirectory(prefix="parley-bench-") as name:
        async with AsyncExitStack() as stack:
            targets: list[Target] = [Parley(Path(name) / "parley", cores)]
            targets += peers(Path(name), cores) if options.peers else []
            names = [each.traits.name for each in targets]
            if not any(map(options.wants, names)):
                raise TargetError(f"no target has {' or '.join(options.targets)} in its name: {', '.join(names)}")
            await run.set_up(stack, targets)
            if not run.targets:
                return 2
            try:
                if options.peers:
                    await run.measure_floor(SendLoop(Path(name), cores))
                await run.measure([each for each in ALL if each.name in options.cases])
            finally:
                _show(run, options)
    return 1 if run.samples.failures() or run.skipped else 0


def _show(run: Run, options: Options) -> None:
    print(report.table(run.samples, options))
    print(report.latencies(run.samples, options))
    print(report.growth(run.samples, options))
    print(verdicts.table(verdicts.verdicts(run.samples, options.connections)))
    print(report.traits([each.traits for each in run.targets], run.skipped))
    print(report.remarks(run.samples))
    print(report.failures(run.samples))
    results.write(options.out, run.samples, options, run.skipped)
    print(f"all of it: {options.out}")
