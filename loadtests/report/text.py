"""What a run came to, on a terminal. No I/O."""

from loadtests.report import words
from loadtests.report.results import Ending, Figures, Results

_FIRST_MOST = 10


def text(results: Results) -> str:
    """The figures, one line per kind of request; the account; what was not kept; and how it ended."""
    lines = [f"{'request':30}{'count':>9}{'failed':>9}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
    lines += map(_row, results.figures)
    if results.unmeasured:
        lines += [f"{words.OTHERS}:", *map(_row, results.unmeasured)]
    for each in [*results.figures, *results.unmeasured]:
        lines += [f"  {each.kind} failed: {code} x {count}" for code, count in each.failures.items()]
    greeted = ", ".join(f"{name} {count}" for name, count in results.greeted.items())
    counts = results.counts
    outcomes = (
        f"{counts.acknowledged} acknowledged, {counts.refused} refused, {counts.unconfirmed} of unknown outcome"
    )
    faults = f"{counts.lost} lost, {counts.duplicates} twice, {counts.out_of_order} out of order"
    stays = f"in {counts.stays} stays ({counts.cut_off} cut off)"
    lines += [
        f"connections: {greeted or 'none'}",
        f"account: {counts.sent} messages sent: {outcomes}",
        f"deliveries: {counts.expected} owed, {counts.received} received {stays}: {faults}",
    ]
    lines += [f"  {each}" for each in counts.first[:_FIRST_MOST]]
    lines += [f"note: {each}" for each in results.warnings]
    lines += [f"{words.TITLES[results.ending]}: {each}" for each in results.reasons]
    if (highest := words.highest(results)) is not None:
        lines.append(highest)
    if results.ending is Ending.INVALID and results.crashes:
        lines += [f"the load test itself failed: {each}" for each in results.crashes]
    lines.append(f"{words.TITLES[results.ending]} (exit code {results.ending.exit_code}). {words.sentence(results)}")
    return "\n".join(lines)


def _row(each: Figures) -> str:
    percentiles = "".join(f"{words.milliseconds(value):>9}" for value in (each.p50, each.p95, each.p99))
    failed = sum(each.failures.values())
    return f"{each.kind:30}{each.count:9}{failed:9}{each.per_second:9.1f}{percentiles}"
