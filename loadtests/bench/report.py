"""The tables on stdout, and the JSON file. What the columns mean: see `loadtests.bench`."""

import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from loadtests.bench.options import Options
from loadtests.bench.samples import Sample, Samples
from loadtests.bench.targets import Traits
from loadtests.bench.verdicts import verdicts

_OURS: Final = "parley"
_WIDTH: Final = 62
_CELL: Final = 46
_GROWING: Final = ("per ", "each", "until ")
_NOT_GROWING: Final = ("foreign",)


def table(samples: Samples, options: Options, targets: Sequence[str]) -> str:
    """Every figure of every case: a line per target, a column per number of connections."""
    lines: list[str] = []
    for case in options.cases:
        for figure in samples.figures(case):
            counts = [each for each in options.connections if _any(samples, case, each, figure, targets)]
            heads = (f"{f'{each:,} connections':^{_CELL}}" for each in counts)
            lines.append(f"\n{f'{case}: {figure}':{_WIDTH}}{''.join(heads)}".rstrip())
            for target in targets:
                cells = "".join(_cell(samples, case, each, figure, target) for each in counts)
                if cells.strip():
                    lines.append(f"  {target:{_WIDTH - 2}}{cells}".rstrip())
    return "\n".join(lines)


def growth(samples: Samples, options: Options, targets: Sequence[str]) -> str:
    """How each cost grows from the fewest connections to the most; empty for one number of connections."""
    fewest, most = options.connections[0], options.connections[-1]
    rows = [
        f"  {f'{case}: {figure}':{_WIDTH}} {target:28} {ratio:8.2f}"
        for case in options.cases
        for figure in samples.figures(case)
        if any(each in figure for each in _GROWING) and case not in _NOT_GROWING
        for target in targets
        if (ratio := samples.growth(case, figure, target, fewest, most)) is not None
    ]
    if fewest == most or not rows:
        return ""
    return "\n".join([f"\nfrom {fewest:,} to {most:,} connections, times", *rows])


def traits(all_traits: Iterable[Traits], skipped: Mapping[str, str]) -> str:
    """What each target does with a message, and which ones are missing, and why."""
    lines = ["\nwhat they do"]
    for each in all_traits:
        lines.append(f"  {each.name:28} {each.does}")
        if each.does_not:
            lines.append(f"  {'':28} does not: {each.does_not}")
    lines += [f"  {name:28} NOT MEASURED: {reason}" for name, reason in skipped.items()]
    return "\n".join(lines)


def failures(samples: Samples) -> str:
    """What came to nothing."""
    return "\n".join(f"  FAILED {_title(each)}: {each.failure}" for each in samples.failures())


def write(path: Path, samples: Samples, options: Options, skipped: Mapping[str, str]) -> None:
    """Everything, for whoever compares later. Replaces the file in one step."""
    summaries = [
        {
            "case": case,
            "connections": connections,
            "figure": figure,
            "target": target,
            "summary": summary,
            "ratio_to_parley": samples.ratio(case, connections, figure, target, _OURS),
        }
        for case in options.cases
        for figure in samples.figures(case)
        for connections in options.connections
        for target in dict.fromkeys(each.target for each in samples.all)
        if (summary := samples.summary(case, connections, figure, target)) is not None
    ]
    content = {
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()},
        "options": {
            "connections": options.connections,
            "repeats": options.repeats,
            "seconds": options.seconds,
        },
        "skipped": dict(skipped),
        "verdicts": verdicts(samples, options.connections),
        "summaries": summaries,
        "samples": samples.all,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
    staged.replace(path)


def _any(samples: Samples, case: str, connections: int, figure: str, targets: Sequence[str]) -> bool:
    return any(samples.values(case, connections, figure, each) for each in targets)


def _cell(samples: Samples, case: str, connections: int, figure: str, target: str) -> str:
    summary = samples.summary(case, connections, figure, target)
    if summary is None:
        return " " * _CELL
    ratio = None if target == _OURS else samples.ratio(case, connections, figure, target, _OURS)
    spread = f"({_number(summary.least)} .. {_number(summary.most)})"
    return f"{_number(summary.median):>10} {spread:<24}{'' if ratio is None else f'{ratio:.2f}x':>8}".ljust(_CELL)


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 100 else f"{value:.2f}"


def _title(sample: Sample) -> str:
    return f"{sample.case}, {sample.connections:,} connections, repeat {sample.repeat + 1}, {sample.target}"
