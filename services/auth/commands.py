"""The command line of the auth service."""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Final, get_args

import msgspec

from runtime import process
from runtime.settings import SettingsError, load
from services.auth import key_folder, token_commands
from services.auth.app import serve
from services.auth.keys import KeyFileError
from services.auth.settings import AuthSettings, DatabaseSettings, TokenSettings
from services.auth.token_commands import CommandError
from services.auth.tokens import Tokens
from wire.accounts import Scope, ServiceName
from wire.ids import Id
from wire.messages import User
from wire.streams import TOKEN_SECONDS_MOST

_SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


def main(arguments: list[str]) -> None:
    """Run the command in `arguments`; without one, the service."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "rotate":
            for line in key_folder.rotate(chosen.dir, time.time()):
                print(line)
        elif chosen.command == "mint":
            _mint(chosen.users, chosen.seconds)
        elif chosen.command == "token":
            _token(chosen)
        else:
            process.run("auth", AuthSettings, serve)
    except (SettingsError, KeyFileError, CommandError) as error:
        sys.exit(f"auth: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.auth", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("serve", help="run the service (the default)")
    rotate = commands.add_parser("rotate", help="make a signing key, and remove those that nobody needs any more")
    rotate.add_argument("--dir", type=Path, required=True, help="the folder of keys (SIGNING_KEYS_DIR)")
    mint = commands.add_parser("mint", help="print access tokens, one a line, for load tests")
    mint.add_argument("--users", type=_positive, required=True, help="how many users, named load-1, load-2, ...")
    mint.add_argument("--seconds", type=_lifetime, help="lifetime; ACCESS_TOKEN_SECONDS unless given")
    token = commands.add_parser("token", help="service tokens, for backends").add_subparsers(
        dest="action", required=True
    )
    create = token.add_parser("create", help="print a new token; it is not told again")
    create.add_argument(
        "--name", type=_name, required=True, help="whose it is; of one name, one token is good at a time"
    )
    create.add_argument("--scopes", type=_scopes, required=True, help=f"some of {','.join(_SCOPES)}")
    token.add_parser("list", help="print all tokens that there are and were: name, scopes, created, revoked")
    revoke = token.add_parser("revoke", help="make a token good for nothing, at once")
    revoke.add_argument("--name", type=_id, required=True, help="also one that is longer than they may be now")
    return parser


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return number


def _lifetime(text: str) -> int:
    if (seconds := _positive(text)) > TOKEN_SECONDS_MOST:
        raise argparse.ArgumentTypeError(f"must be {TOKEN_SECONDS_MOST} at most: no token is good for longer")
    return seconds


def _id(text: str) -> Id:
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError("must be 1 to 64 letters, digits, dashes or underscores") from None


def _name(text: str) -> ServiceName:
    try:
        return msgspec.convert(text, ServiceName)
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError("must be 1 to 60 letters, digits, dashes or underscores") from None


def _scopes(text: str) -> frozenset[Scope]:
    try:
        return msgspec.convert(text.split(","), frozenset[Scope])
    except msgspec.ValidationError:
        raise argparse.ArgumentTypeError(f"must be some of {', '.join(_SCOPES)}, with commas between") from None


def _mint(users: int, seconds: int | None) -> None:
    settings = load(TokenSettings, os.environ)
    if seconds is not None:
        settings = msgspec.structs.replace(settings, access_token_seconds=seconds)
    tokens = Tokens(key_folder.read(Path(settings.signing_keys_dir)), settings, time.time)
    for number in range(1, users + 1):
        name = f"load-{number}"
        print(tokens.issue(User(id=name, display_name=name), session=f"s-{name}"))


def _token(chosen: argparse.Namespace) -> None:
    settings = load(DatabaseSettings, os.environ)
    if chosen.action == "create":
        work = token_commands.create(settings, chosen.name, chosen.scopes)
    elif chosen.action == "list":
        work = token_commands.show(settings)
    else:
        work = token_commands.revoke(settings, chosen.name)
    print(asyncio.run(work))
