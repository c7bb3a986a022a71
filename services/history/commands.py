"""The command line of the history service."""

import argparse
import sys
from collections.abc import Callable, Coroutine

import uvloop

from runtime import process
from runtime.settings import SettingsError
from services.history import persisted, setup
from services.history.app import serve
from services.history.settings import HistorySettings, SetupSettings


def main(arguments: list[str]) -> None:
    """Run the command in `arguments`; without one, the service."""
    parser = argparse.ArgumentParser(prog="python -m services.history", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (the default)")
    step = commands.add_parser(
        "setup", help="make or update the streams and indexes that all services need; again at will"
    )
    step.add_argument(
        "--persist-again",
        action="store_true",
        help="MongoDB was restored: have all that the stream holds persisted once more",
    )
    commands.add_parser("persisted", help="wait until all that is acknowledged by now is in MongoDB: before a backup")
    chosen = parser.parse_args(arguments)
    if chosen.command == "setup":
        _work("setup", lambda settings: setup.run(settings, persist_again=chosen.persist_again))
    elif chosen.command == "persisted":
        _work("persisted", persisted.run)
    else:
        process.run("history", HistorySettings, serve)


def _work(name: str, work: Callable[[SetupSettings], Coroutine[None, None, None]]) -> None:
    settings = process.begin(name, SetupSettings)
    try:
        uvloop.run(work(settings))
    except (SettingsError, setup.SetupError) as error:
        sys.exit(f"{name}: {error}")
