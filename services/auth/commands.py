"""The command line of the auth service."""

import argparse
import os
import sys
import time
from pathlib import Path

import msgspec

from runtime import process
from runtime.settings import SettingsError, load
from services.auth import key_folder
from services.auth.app import serve
from services.auth.keys import KeyFileError
from services.auth.settings import AuthSettings, TokenSettings
from services.auth.tokens import Tokens
from wire.messages import User


def main(arguments: list[str]) -> None:
    """Run the command in `arguments`; without one, the service."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "rotate":
            for line in key_folder.rotate(chosen.dir, time.time()):
                print(line)
        elif chosen.command == "mint":
            _mint(chosen.users, chosen.seconds)
        else:
            process.run("auth", AuthSettings, serve)
    except (SettingsError, KeyFileError) as error:
        sys.exit(f"auth: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.auth", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (the default)")
    rotate = commands.add_parser("rotate", help="make a signing key, and remove those that nobody needs any more")
    rotate.add_argument("--dir", type=Path, required=True, help="the folder of keys (SIGNING_KEYS_DIR)")
    mint = commands.add_parser("mint", help="print access tokens, one a line, for load tests")
    mint.add_argument("--users", type=_positive, required=True, help="how many users, named load-1, load-2, ...")
    mint.add_argument("--seconds", type=_positive, help="lifetime; ACCESS_TOKEN_SECONDS unless given")
    return parser


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return number


def _mint(users: int, seconds: int | None) -> None:
    settings = load(TokenSettings, os.environ)
    if seconds is not None:
        settings = msgspec.structs.replace(settings, access_token_seconds=seconds)
    tokens = Tokens(key_folder.read(Path(settings.signing_keys_dir)), settings, time.time)
    for number in range(1, users + 1):
        name = f"load-{number}"
        print(tokens.issue(User(id=name, display_name=name), session=f"s-{name}"))
