"""What came of the runs, for people."""

from collections.abc import Sequence
from typing import Final

from checker.judge import SHOWN_MOST, Kind
from checker.report import text
from tests.faults.suite.run import Result

_LOST: Final = (Kind.LOST_HEAD, Kind.LOST_MIDDLE, Kind.LOST_TAIL)
_WRONG: Final = tuple(kind for kind in Kind if kind not in {*_LOST, Kind.DUPLICATE})
_COLUMNS: Final = ("messages", "deliveries", "unknown", "reconnects", "recovered", "resends", "away s", "silence s")
_COUNTS: Final = ("head", "middle", "tail", "twice", "other")
HEAD: Final = (
    f"{'fault':24}{'seed':>8}"
    + "".join(f"{each:>12}" for each in _COLUMNS)
    + "  lost "
    + "".join(f"{each:>8}" for each in _COUNTS)
)


def row(result: Result) -> str:
    """One line: how much happened, and how much of it was wrong."""
    verdict = result.verdict
    figures = [verdict.acknowledged, verdict.deliveries, verdict.unconfirmed]
    figures += [result.reconnects, result.recoveries, result.resends]
    wrong = [verdict.counts.get(kind, 0) for kind in (*_LOST, Kind.DUPLICATE)]
    wrong.append(sum(verdict.counts.get(kind, 0) for kind in _WRONG))
    return (
        f"{result.fault:24}{result.seed:>8}"
        + "".join(f"{each:>12}" for each in figures)
        + f"{result.longest_absence:>12.1f}{result.longest_silence:>12.1f}       "
        + "".join(f"{each:>8}" for each in wrong)
        + ("" if result.is_good else "  BAD")
    )


def details(result: Result) -> str:
    """What was wrong with a run that was not good; the first of it."""
    more = len(result.troubles) - SHOWN_MOST
    rest = [f"... and {more} more"] if more > 0 else []
    return "\n  ".join([text(result.verdict), *result.troubles[:SHOWN_MOST], *rest])


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    bad = sum(not each.is_good for each in results)
    messages = sum(each.verdict.acknowledged for each in results)
    if bad:
        return f"BROKEN: {bad} of {len(results)} runs, {messages} messages"
    return f"the promise held in {len(results)} runs, {messages} messages"
