"""The words and rows that the page, the summary and the terminal share. No I/O."""

from collections.abc import Mapping
from typing import Final

from loadtests.report.results import Counts, Ending, Objective, Results
from loadtests.slo import figure

TITLES: Final = {Ending.PASSED: "PASSED", Ending.BROKEN: "BROKEN", Ending.INVALID: "NOT VALID"}
Row = tuple[str, str]


def sentence(results: Results) -> str:
    """What the ending means, for whoever reads one sentence."""
    counts = results.counts
    holds = account_holds(counts)
    if results.ending is Ending.BROKEN and not holds:
        return "The promise was not kept: what was acknowledged did not reach every member exactly once and in order."
    nothing_lost = "Every acknowledged message reached every member exactly once and in order" if counts.sent else ""
    if results.ending is Ending.INVALID:
        nothing_lost = f" {nothing_lost}, though." if nothing_lost and counts.acknowledged else ""
        return (
            f"The figures say nothing about the system: the load test itself was the limit, or failed.{nothing_lost}"
        )
    if results.ending is Ending.BROKEN:
        count = sum(not each.kept for each in results.objectives)
        if nothing_lost and not count and results.reasons:
            return f"{nothing_lost}, but {results.reasons[0]}."
        failed = f"{count} of {len(results.objectives)} objectives {'was' if count == 1 else 'were'} not kept"
        return f"{nothing_lost}, but {failed}." if nothing_lost else f"{failed}."
    untested = sum(each.measured is None for each in results.objectives)
    kept = f"all {len(results.objectives) - untested} objectives that were put to the test were kept"
    return f"{nothing_lost}, and {kept}." if nothing_lost else f"No message was sent; {kept}."


def account_holds(counts: Counts) -> bool:
    """Whether nothing is wrong with the account, and there was something that could have been."""
    faults = counts.lost + counts.duplicates + counts.out_of_order + sum(counts.other.values())
    return not faults and (not counts.sent or (counts.acknowledged > 0 and counts.stays > counts.cut_off))


def account(counts: Counts) -> list[Row]:
    """The account as rows."""
    rows = [
        ("messages sent", f"{counts.sent:,}"),
        ("acknowledged", f"{counts.acknowledged:,}"),
        ("refused: not stored, for certain", f"{counts.refused:,}"),
        ("of unknown outcome", f"{counts.unconfirmed:,}"),
        ("deliveries expected: one for each member at the time", f"{counts.expected:,}"),
        ("deliveries received", f"{counts.received:,}"),
        ("lost", f"{counts.lost:,}"),
        ("duplicates", f"{counts.duplicates:,}"),
        ("out of order", f"{counts.out_of_order:,}"),
    ]
    rows += [(kind, f"{count:,}") for kind, count in counts.other.items()]
    rows.append((f"stays of members in rooms, {counts.cut_off:,} of them cut off", f"{counts.stays:,}"))
    return rows


def objective(each: Objective) -> tuple[str, str, str, str]:
    """Name, most, measured, and what came of it."""
    most = f"{figure(each.most)} {each.unit}"
    if each.measured is None:
        return each.name, most, "-", "not tested" if each.kept else "NOT KEPT: none succeeded"
    return each.name, most, f"{figure(each.measured)} {each.unit}", "kept" if each.kept else "NOT KEPT"


def environment(results: Results) -> list[Row]:
    """Where it was."""
    found, host = results.environment, results.environment.host
    return [
        ("target", found.target),
        ("load from", f"{host.cores} cores of {host.processor}, {host.memory_bytes / 2**30:.0f} GiB of memory"),
        ("system", f"{host.kernel}, Python {host.python}"),
        ("commit", found.commit),
        *found.versions.items(),
    ]


def settings(found: Mapping[str, str | int | float | bool | None]) -> list[Row]:
    """How it was asked for."""
    return [(name, "-" if value is None else str(value)) for name, value in found.items()]


def highest(results: Results) -> str | None:
    """What a run step by step came to, in a sentence."""
    found = results.highest
    if found is None:
        return None
    if found.part is None:
        return f"No step kept all objectives: {found.ended_by}."
    messages, deliveries = rate(found.messages_per_second), rate(found.deliveries_per_second)
    load = f"{messages} messages a second, {deliveries} deliveries a second"
    there = f"{found.connected:,.0f} connections"
    return f"Highest load within the objectives: {found.part}, {load}, {there}. What ended it: {found.ended_by}."


def clock(seconds: float) -> str:
    """Since the run began, as `m:ss`, or `h:mm:ss`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rate(value: float) -> str:
    """So many a second."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def milliseconds(value: float | None) -> str:
    """A duration in a table."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
