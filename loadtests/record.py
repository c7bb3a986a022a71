"""What a run leaves behind: the account, and the figures of every kind of request. A JSON file, and a table.

`python -m loadtests.record FILE` judges one again.
"""

import sys
from pathlib import Path

import msgspec

from checker.account import Account
from checker.judge import judge
from checker.report import text


class Figures(msgspec.Struct, frozen=True):
    """One kind of request. Milliseconds, of those that succeeded; None when none did."""

    name: str
    count: int
    failures: dict[str, int]
    """How many failed, by code."""
    p50: float | None
    p95: float | None
    p99: float | None


class Record(msgspec.Struct, frozen=True):
    """All that is known about a run."""

    account: Account
    figures: list[Figures]
    gateways: dict[str, int]
    """How many connections each gateway greeted."""
    settled: bool
    """Whether everything had arrived before waiting for it was given up."""
    crashes: list[str]
    """Defects of the load test itself."""

    def write(self, path: Path) -> None:
        """Write it as JSON; raises `OSError`."""
        path.write_bytes(msgspec.json.encode(self))

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Raises `OSError`, and `msgspec.MsgspecError` for a file that is no record."""
        return msgspec.json.decode(path.read_bytes(), type=cls)


def table(record: Record) -> str:
    """The figures for people: one line per kind of request, then the failures by code."""
    lines = [f"{'request':28}{'count':>9}{'failed':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
    for each in record.figures:
        failed = sum(each.failures.values())
        lines.append(f"{each.name:28}{each.count:9}{failed:9}" + "".join(map(_cell, (each.p50, each.p95, each.p99))))
    for each in record.figures:
        lines += [f"  {each.name} failed: {code} x {count}" for code, count in sorted(each.failures.items())]
    greeted = ", ".join(f"{name} {count}" for name, count in sorted(record.gateways.items()))
    return "\n".join([*lines, f"connections: {greeted or 'none'}"])


def _cell(milliseconds: float | None) -> str:
    return f"{'-' if milliseconds is None else format(milliseconds, '.0f'):>9}"


def show(path: Path) -> int:
    """Judge the record in `path`, and print it; returns the exit code."""
    try:
        record = Record.read(path)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"loadtests: no record of a run: {error}", file=sys.stderr)
        return 2
    verdict = judge(record.account)
    print(table(record))
    print(text(verdict))
    if not record.settled:
        print("waiting for everything to arrive was given up")
    for crash in record.crashes:
        print(f"the load test itself failed: {crash}")
    return 0 if verdict.holds and not record.crashes else 1


if __name__ == "__main__":
    sys.exit(show(Path(sys.argv[1])))
