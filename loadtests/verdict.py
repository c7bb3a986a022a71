"""`python -m loadtests.verdict FOLDER`: judge a run again, by what it left in its results folder.

Exit code 0: it passed. 1: something acknowledged was lost or came twice, or an objective was not kept. 2: the folder
holds no run. 3: the run is not valid. Nothing is written.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from loadtests.report.conclude import again
from loadtests.report.text import text


def main(arguments: list[str]) -> int:
    """Print what the run came to; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.verdict", description=__doc__)
    parser.add_argument("folder", type=Path, help="loadtests/results/<time>")
    folder: Path = parser.parse_args(arguments).folder
    try:
        results = again(folder)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"loadtests: {folder} holds no run: {error}", file=sys.stderr)
        return 2
    print(text(results))
    return results.ending.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
