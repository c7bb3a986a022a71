"""The command line of the history service."""

import argparse
import sys

import uvloop

from runtime import process
from runtime.settings import SettingsError
from services.history import setup
from services.history.app import serve
from services.history.settings import HistorySettings, SetupSettings


def main(arguments: list[str]) -> None:
    """Run the command in `arguments`; without one, the service."""
    parser = argparse.ArgumentParser(prog="python -m services.history", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (the default)")
    commands.add_parser("setup", help="make or update the streams and indexes that all services need; again at will")
    if parser.parse_args(arguments).command == "setup":
        _set_up()
    else:
        process.run("history", HistorySettings, serve)


def _set_up() -> None:
    settings = process.begin("setup", SetupSettings)
    try:
        uvloop.run(setup.run(settings))
    except (SettingsError, setup.SetupError) as error:
        sys.exit(f"setup: {error}")
