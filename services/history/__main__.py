"""`python -m services.history` serves; `setup` makes the streams and indexes that all services need."""

import sys

from services.history import commands

if __name__ == "__main__":
    commands.main(sys.argv[1:])
