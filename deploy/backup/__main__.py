"""`python -m deploy.backup save|load FOLDER`, of the MongoDB that MONGO_URL names."""

import sys

from deploy.backup.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
