"""How a run ended, and why, in words. No I/O."""

from collections.abc import Sequence
from typing import Final

from checker.judge import Verdict
from loadtests.report.results import Ending, Highest, Objective
from loadtests.slo import said

UNSETTLED: Final = "when nothing new had been sent for half a minute, users were away, or messages under way, still"


def ending(
    verdict: Verdict,
    invalid: Sequence[str],
    objectives: Sequence[Objective],
    highest: Highest | None,
    fallen: Sequence[str] = (),
    *,
    settled: bool,
) -> tuple[Ending, list[str]]:
    """A broken promise is one in any run; a broken objective only in a valid one, for others say nothing of speed.

    A system of which a process has `fallen` is broken, whatever it was asked for. A run that never settled is, too,
    if it was not loaded until something was too much: whoever is away is owed nothing, and nothing shows that they
    would have received it.
    """
    promise = [*_promise(verdict), *fallen]
    broken = [said(each) for each in objectives if not each.kept]
    if promise:
        return Ending.BROKEN, [*promise, *broken, *(f"it is not valid, either: {each}" for each in invalid)]
    if invalid:
        return Ending.INVALID, [*invalid, *broken]
    if highest is not None and highest.part is None:
        return Ending.BROKEN, [highest.ended_by]
    if not settled and highest is None:
        broken = [UNSETTLED, *broken]
    return (Ending.BROKEN, broken) if broken else (Ending.PASSED, [])


def _promise(verdict: Verdict) -> list[str]:
    """What came of the promise that an acknowledged message reaches all members, once and in order."""
    wrong = sum(verdict.counts.values())
    if wrong:
        by_kind = ", ".join(f"{count:,} {kind}" for kind, count in verdict.counts.items())
        return [f"an acknowledged message is to reach every member exactly once, in order; it did not: {by_kind}"]
    if verdict.sent and not verdict.acknowledged:
        return [f"{verdict.sent:,} messages were sent, and none was acknowledged"]
    if verdict.acknowledged and verdict.stays == verdict.stays_cut_off:
        return ["nobody who joined a room stayed to the end, so nothing shows that messages arrive"]
    return []
