"""`python -m services.auth` serves; `keygen` makes a signing key; `mint` prints tokens for load tests."""

import sys

from services.auth import commands

if __name__ == "__main__":
    commands.main(sys.argv[1:])
