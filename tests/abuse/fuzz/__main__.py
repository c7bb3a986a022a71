"""`python -m tests.abuse.fuzz --seconds N --seed S` attacks a stack of its own; 0 if that was well all the time."""

import argparse
import asyncio
import random
import sys

from tests.abuse.fuzz.run import fuzz

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.abuse.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = parser.parse_args()
    report = asyncio.run(fuzz(chosen.seconds, chosen.seed))
    print(report)
    sys.exit(0 if report.was_well else 1)
