"""`python -m tests.faults`: faults, one after the other, each on a stack of its own.

Exit code 0: the promise held through all of them. 1: it did not, one was skipped, or something else went wrong; what
was seen and what the stack said is kept in the folder that is named. 2: what was asked for cannot be run.
"""

import argparse
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from tests.faults.suite import privileges, table
from tests.faults.suite.catalogue import FAULTS
from tests.faults.suite.fault import Fault
from tests.faults.suite.run import Plan, Result, described, not_run, run

_SEEDS: Final = 100_000


def main(arguments: Sequence[str]) -> int:
    """Run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(_SEEDS), help="what is random comes from it")
    parser.add_argument(
        "--faults", default="", help=f"some of {', '.join(FAULTS)}; comma separated, all unless given"
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="how long members talk at least; 15")
    parser.add_argument("--members", type=int, default=24, help="how many there are; 24")
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second, all together; 100")
    parser.add_argument("--short", action="store_true", help="the cut that runs in make test")
    chosen = parser.parse_args(arguments)
    names = [each for each in chosen.faults.split(",") if each] or list(FAULTS)
    if unknown := [each for each in names if each not in FAULTS]:
        parser.error(f"no such fault: {', '.join(unknown)}")
    plan = Plan(members=chosen.members, rate=chosen.rate, seconds=chosen.seconds, is_short=chosen.short)
    return uvloop.run(_run_all([FAULTS[each] for each in names], plan, chosen.seed))


async def _run_all(faults: Sequence[Fault], plan: Plan, seed: int) -> int:
    print(f"seed {seed}\n{table.HEAD}", flush=True)
    results: list[Result] = []
    skipped: list[str] = []
    for fault in faults:
        if lacking := privileges.lacking(fault):
            print(f"{fault.name:24}SKIPPED: {lacking}", flush=True)
            skipped.append(fault.name)
            continue
        results.append(await _run_one(fault, plan, seed))
    print(table.summary(results) + (f"; NOT shown: {', '.join(skipped)}" if skipped else ""))
    return 0 if all(each.is_good for each in results) and not skipped else 1


async def _run_one(fault: Fault, plan: Plan, seed: int) -> Result:
    output: list[str] = []
    result: Result | None = None
    try:
        async with fault.ground(plan.environ) as arena:
            try:
                result = await run(fault, arena, plan, seed)
            finally:
                output = arena.output
    except Exception as error:  # noqa: BLE001 - the other faults are still to be run
        result = result or not_run(fault, seed, "its ground was not well")
        result.troubles.append(described(error))
    print(table.row(result), flush=True)
    if not result.is_good:
        print(table.details(result), f"kept in {keep(result, output)}", sep="\n  ", flush=True)
    return result


def keep(result: Result, output: Sequence[str]) -> Path:
    """Write all that was seen and said into a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix=f"parley-{result.fault}-{result.seed}-"))
    (folder / "output").write_text("\n".join(output))
    (folder / "account.json").write_bytes(msgspec.json.encode(result.account))
    return folder
