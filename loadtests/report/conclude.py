"""The end of a run: the facts are judged, and what they came to is written down and shown.

A results folder holds `report.html` and `summary.md` for people, `run.json` (`Results`) for machines, and, to be
judged again, `facts.msgpack` and `known.json`. Nothing in it is secret.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from loadtests.facts import Facts
from loadtests.report import history
from loadtests.report.assemble import Run, assemble
from loadtests.report.environment import environment
from loadtests.report.html import page
from loadtests.report.markdown import summary
from loadtests.report.results import Environment, Results
from loadtests.report.text import text

__all__ = ["ReportError", "Run", "again", "conclude"]

FACTS: Final = "facts.msgpack"
KNOWN: Final = "known.json"


class ReportError(Exception):
    """The report could not be written; what the run came to was told, and is in `exit_code`, which is never 0."""

    def __init__(self, error: OSError, results: Results) -> None:
        super().__init__(f"there is no whole report: {error}")
        self.exit_code = results.ending.exit_code or 2


class Known(msgspec.Struct, frozen=True):
    """What is kept beside the facts."""

    run: Run
    environment: Environment


async def conclude(facts: Facts, run: Run, folder: Path) -> Results:
    """Read the histories of all rooms into the facts, judge, print what came of it, and write the results folder.

    A history that cannot be read makes the run not valid: whether anything is missing from it nobody knows. Raises
    `ReportError` when the folder cannot be written; the facts are the first thing that is.
    """
    found, troubles = await history.read(run.urls, run.token, history.rooms(facts.account))
    facts.account.history, facts.account.unread = found, set(troubles)
    if facts.partial:
        facts.account.adopt()
    facts.invalid += history.said(troubles)
    return await asyncio.to_thread(_write, facts, run, folder)


def _write(facts: Facts, run: Run, folder: Path) -> Results:
    known, trouble = Known(msgspec.structs.replace(run, token=""), environment(run.target)), None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        facts.write(folder / FACTS)
        (folder / KNOWN).write_bytes(msgspec.json.encode(known))
    except OSError as error:
        trouble = error
    results = assemble(facts, run, known.environment)
    print(text(results), flush=True)
    try:
        (folder / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
        (folder / "summary.md").write_text(summary(results))
        (folder / "report.html").write_text(page(results))
    except OSError as error:
        trouble = trouble or error
    if trouble is not None:
        raise ReportError(trouble, results)
    print(f"report: {folder / 'report.html'}", flush=True)
    return results


def again(folder: Path) -> Results:
    """Judge what is in a results folder. Raises `OSError`, and `msgspec.MsgspecError` when it holds no such thing."""
    known = msgspec.json.decode((folder / KNOWN).read_bytes(), type=Known)
    return assemble(Facts.read(folder / FACTS), known.run, known.environment)
