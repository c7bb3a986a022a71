"""`python -m tests.faults`: see `suite.command`."""

import sys

from tests.faults.suite.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
