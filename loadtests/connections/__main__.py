"""`python -m loadtests.connections`: see `loadtests.connections`."""

import sys

from loadtests.connections.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
