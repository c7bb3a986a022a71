"""`python -m loadtests`: see `run`."""

import sys

from loadtests.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
