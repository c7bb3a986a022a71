"""The JSON file: every sample, and what was made of them."""

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from loadtests.bench.options import Options
from loadtests.bench.samples import Samples
from loadtests.bench.verdicts import verdicts

_OURS: Final = "parley"


def write(path: Path, samples: Samples, options: Options, skipped: Mapping[str, str]) -> None:
    """Everything, for whoever compares later. Replaces the file in one step."""
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
        "summaries": _summaries(samples, options),
        "samples": samples.all,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1))
    staged.replace(path)


def _summaries(samples: Samples, options: Options) -> list[dict[str, object]]:
    """Of every figure: median, least and most over the repeats, and the same of its ratio to Parley's."""
    return [
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
        for target in samples.targets()
        if (summary := samples.summary(case, connections, figure, target)) is not None
    ]
