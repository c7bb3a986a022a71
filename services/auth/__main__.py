"""`python -m services.auth` serves; `rotate` is for signing keys, `token` for service tokens, `mint` for tests."""

import sys

from services.auth import commands

if __name__ == "__main__":
    commands.main(sys.argv[1:])
