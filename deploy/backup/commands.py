"""The command line."""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.backup import dump
from deploy.backup.dump import BackupError

_TIMEOUT_MS = 10_000


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run the command in `arguments`: 0, and what was copied as JSON; or one line on standard error, and 1."""
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description="Copies of the databases.")
    parser.add_argument("command", choices=["save", "load"])
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        with _client(environ) as client:
            work = dump.save if chosen.command == "save" else dump.load
            print(json.dumps(work(client, chosen.folder)))
    except (BackupError, OSError) as error:
        print(f"backup: {error}", file=sys.stderr)
        return 1
    except PyMongoError as error:
        print(f"backup: MongoDB: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _client(environ: Mapping[str, str]) -> dump.Client:
    url = environ.get("MONGO_URL")
    if not url:
        raise BackupError("MONGO_URL is missing")
    file = environ.get("MONGO_PASSWORD_FILE")
    more: dict[str, Any] = {"password": Path(file).read_text().strip()} if file else {}
    try:
        return MongoClient(url, serverSelectionTimeoutMS=_TIMEOUT_MS, **more)
    except (PyMongoError, ValueError, TypeError):
        raise BackupError("MONGO_URL is malformed") from None  # which may hold a password
