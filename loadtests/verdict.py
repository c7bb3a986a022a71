"""`python -m loadtests.verdict FILE`: judge a recorded run again.

Exit code 0: the promise held. 1: it did not, or there was nothing to hold it to. 2: the file is no record.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from checker.judge import judge
from checker.report import text
from loadtests.record import Record, table


def main(arguments: list[str]) -> int:
    """Print the table and the verdict; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.verdict", description=__doc__)
    parser.add_argument("file", type=Path, help="what `python -m loadtests --record FILE` wrote")
    return show(parser.parse_args(arguments).file)


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
    sys.exit(main(sys.argv[1:]))
