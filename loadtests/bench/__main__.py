"""`python -m loadtests.bench`: see `loadtests.bench`."""

import sys

from loadtests.bench.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
