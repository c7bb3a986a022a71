"""The summary: the report in short, as Markdown, to paste into a ticket. No I/O."""

from collections.abc import Iterable, Sequence

from loadtests.report import words
from loadtests.report.parts import Row, rows
from loadtests.report.results import Figures, Results


def summary(results: Results) -> str:
    """Markdown; names are escaped."""
    target = _plain(results.environment.target)
    blocks = [
        f"# Load test: {words.TITLES[results.ending]}",
        words.sentence(results),
        words.highest(results) or "",
        _list(results.reasons),
        f"{results.tool}, began {results.began}, {words.clock(results.seconds)} long. Target: {target}.",
        f"Exit code {results.ending.exit_code} (docs/LOADTESTING.md).",
        "## Account\n\n" + _table(("what", "how many"), words.account(results.counts)),
        _list(f"`{each}`" for each in results.counts.first),
        "## Objectives\n\n"
        + _table(("objective", "allowed", "measured", ""), [words.objective(each) for each in results.objectives])
        + f"\n\n{words.counted(results)}",
    ]
    phases = rows(results.parts)
    if results.highest is not None:
        blocks.append("## Steps\n\n" + _steps([each for each in phases if each.measured]))
    blocks.append("## Requests\n\n" + _figures(results.figures))
    if results.unmeasured:
        blocks.append(f"### {words.OTHERS}\n\n" + _figures(results.unmeasured))
    if results.highest is None:
        blocks.append("## Phases\n\n" + _steps(phases))
    if results.warnings:
        blocks.append("## To know\n\n" + _list(results.warnings))
    if results.moments:
        blocks.append("## Moments\n\n" + _list(f"{words.clock(at)} {text}" for at, text in results.moments))
    blocks.append("## Environment\n\n" + _table(("what", "which"), words.environment(results)))
    blocks.append("## Settings\n\n" + _table(("setting", "value"), words.settings(results.settings)))
    return "\n\n".join(each for each in blocks if each) + "\n"


def _figures(found: Iterable[Figures]) -> str:
    head = ("request", "succeeded", "a second", "failed", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms")
    lines = []
    for each in found:
        failed = ", ".join(f"{code} x {count:,}" for code, count in each.failures.items()) or "0"
        percentiles = map(words.milliseconds, (each.p50, each.p95, each.p99, each.p999))
        lines.append((each.kind, f"{each.count:,}", f"{each.per_second:,.1f}", failed, *percentiles))
    return _table(head, lines)


def _steps(found: Sequence[Row]) -> str:
    head = ("phase", "connections", "messages/s", "deliveries/s", "ack p99 ms", "end to end p99 ms", "drops", "")
    lines = [
        (
            each.name,
            each.connected,
            each.messages,
            each.deliveries,
            each.ack,
            each.end_to_end,
            each.drops,
            _said(each),
        )
        for each in found
    ]
    return _table(head, lines)


def _said(row: Row) -> str:
    if not row.measured:
        return "not measured"
    return "; ".join(row.broken) or "held"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    found = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(_plain, cells))} |" for cells in found)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {_plain(each)}" for each in lines)


def _plain(text: str) -> str:
    """In one line and one cell; no HTML comes of it."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
