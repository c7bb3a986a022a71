"""The end of a run: the facts are judged, and what they came to is written down and shown."""

from pathlib import Path

__all__ = ["Run", "conclude"]

from loadtests.facts import Facts
from loadtests.report.assemble import Run
from loadtests.report.results import Results


async def conclude(facts: Facts, run: Run, folder: Path) -> Results:
    """Not yet."""
    raise NotImplementedError
