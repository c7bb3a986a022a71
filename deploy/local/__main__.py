"""`python -m deploy.local`: the stack in the foreground, until Ctrl-C or SIGTERM."""

import sys

from deploy.local.run import main

if __name__ == "__main__":
    sys.exit(main())
