"""The tables on stdout. What the columns mean: see `loadtests.bench`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from loadtests.bench.cases.mixed import LOADS, PERCENTILES, Mixed, clients_cpu, cpu, latency, messages
from loadtests.bench.options import Options
from loadtests.bench.samples import Sample, Samples, Summary
from loadtests.bench.targets import Traits

_OURS: Final = "parley"
_WIDTH: Final = 26
_CELL: Final = 33
_FIGURE: Final = 48
_GROWING: Final = ("per ", "each", "until ")
_NOT_GROWING: Final = ("foreign",)


def table(samples: Samples, options: Options) -> str:
    """Every figure of every case but latencies: a line per target, a column per number of connections."""
    lines: list[str] = []
    for case in options.cases:
        figures = samples.figures(case) if case != Mixed.name else []
        for figure in figures:
            counts = [each for each in options.connections if _any(samples, case, each, figure)]
            lines.append(f"\n{case}: {figure}")
            lines.append(_row("", (f"{each:,} connections" for each in counts)))
            for target in samples.targets():
                cells = [_cell(samples, case, each, figure, target) for each in counts]
                if any(cells):
                    lines.append(_row(target, cells))
    return "\n".join(lines)


def latencies(samples: Samples, options: Options) -> str:
    """From send to receipt: a line per target and load, a column per percentile."""
    lines: list[str] = []
    for connections in options.connections:
        for load in LOADS:
            rows = [row for each in samples.targets() if (row := _latency(samples, connections, load, each))]
            if rows:
                lines.append(f"\n{Mixed.name}: ms from send to receipt at {load}, {connections:,} connections")
                heads = [f"p{each:g}" for each in PERCENTILES]
                lines.append(_row("", [*heads, "messages a second; server %; clients, broker %"]))
                lines += rows
    return "\n".join(lines)


def growth(samples: Samples, options: Options) -> str:
    """How each cost grows from the fewest connections to the most; empty for one number of connections."""
    fewest, most = options.connections[0], options.connections[-1]
    rows = [
        f"  {f'{case}: {figure}':{_FIGURE}} {target:{_WIDTH}} {_spread(ratio)}"
        for case in options.cases
        for figure in samples.figures(case)
        if any(each in figure for each in _GROWING) and case not in _NOT_GROWING
        for target in samples.targets()
        if (ratio := samples.growth(case, figure, target, fewest, most)) is not None
    ]
    if fewest == most or not rows:
        return ""
    return "\n".join([f"\nfrom {fewest:,} to {most:,} connections, times", *rows])


def traits(all_traits: Iterable[Traits], skipped: Mapping[str, str]) -> str:
    """What each target does with a message, and which ones are missing, and why."""
    lines = ["\nwhat they do"]
    for each in all_traits:
        lines.append(f"  {each.name:{_WIDTH}} {each.does}")
        if each.does_not:
            lines.append(f"  {'':{_WIDTH}} does not: {each.does_not}")
    lines += [f"  {name:{_WIDTH}} NOT MEASURED: {reason}" for name, reason in skipped.items()]
    return "\n".join(lines)


def remarks(samples: Samples) -> str:
    """What stands between some measurements and what their names say."""
    return "\n".join(f"  NOTE {text} (repeat {', '.join(repeats)})" for text, repeats in samples.remarks().items())


def failures(samples: Samples) -> str:
    """What came to nothing."""
    return "\n".join(f"  FAILED {_title(each)}: {each.failure}" for each in samples.failures())


def _any(samples: Samples, case: str, connections: int, figure: str) -> bool:
    return any(samples.values(case, connections, figure, each) for each in samples.targets())


def _row(name: str, cells: Iterable[str]) -> str:
    return f"  {name:{_WIDTH}}{''.join(f'{each:{_CELL}}' for each in cells)}".rstrip()


def _cell(samples: Samples, case: str, connections: int, figure: str, target: str) -> str:
    summary = samples.summary(case, connections, figure, target)
    if summary is None:
        return ""
    ratio = None if target == _OURS else samples.ratio(case, connections, figure, target, _OURS)
    return f"{_spread(summary)}{'' if ratio is None else f' {ratio.median:.2f}x'}"


def _latency(samples: Samples, connections: int, load: str, target: str) -> str:
    def cells(figures: Sequence[str]) -> list[Summary]:
        found = (samples.summary(Mixed.name, connections, each, target) for each in figures)
        return [each for each in found if each is not None]

    percentiles = [_spread(each) for each in cells([latency(percent, load) for percent in PERCENTILES])]
    around = [_number(each.median) for each in cells([messages(load), cpu(load), clients_cpu(load)])]
    return _row(target, [*percentiles, "; ".join(around)]) if percentiles else ""


def _spread(summary: Summary) -> str:
    return f"{_number(summary.median)} ({_number(summary.least)} .. {_number(summary.most)})"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 100 else f"{value:.2f}"


def _title(sample: Sample) -> str:
    return f"{sample.case}, {sample.connections:,} connections, repeat {sample.repeat + 1}, {sample.target}"
