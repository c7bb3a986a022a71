"""Arguments of the commands, with bounds."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

_Told = TypeVar("_Told")

_NAME_MOST: Final = 20
_USUAL_PORTS: Final = {"http": 80, "https": 443}


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A type for argparse: a number in decimal digits from `least` to `most`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return number


def told(parse: Callable[[str], _Told]) -> Callable[[str], _Told]:
    """A type for argparse: what `parse` makes of it; the words of its `ValueError` are shown."""

    def parsed(text: str) -> _Told:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parsed


def place(text: str) -> tuple[str, int]:
    """A host and a port; raises `ValueError`."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise ValueError(f"{text!r} is not like host:5557")
    return host, int(port)


def url(text: str) -> str:
    """An address of HTTP, as it is; raises `ValueError`."""
    place_of(text)
    return text


def place_of(url: str) -> tuple[str, int]:
    """The host of a URL and the port, which may be the usual one; raises `ValueError`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, _USUAL_PORTS[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        host = None
    if not host or not port:
        raise ValueError(f"{url!r} is not like http://HOST:PORT")
    return host, port


def name(text: str) -> str:
    """What may be a part of a room's name; raises `ValueError`."""
    if not (text.isascii() and text.isalnum() and len(text) <= _NAME_MOST):
        raise ValueError(f"{text!r} is not of 1 to {_NAME_MOST} letters and digits")
    return text


def add_deployment(add: Callable[..., Any]) -> None:
    """Declare, with argparse's `add`, where a deployment is that runs already, and where the report goes."""
    add("--url", type=told(url), action="append", default=[], help="a gateway of a deployment; again for each")
    add("--tokens", type=Path, help="access tokens for that deployment: one a line, one a user")
    add("--metrics", type=told(url), action="append", default=[], help="/metrics of a gateway of it; again for each")
    add("--out", type=Path, help="the folder for the report; loadtests/results/<time> unless given")


def check_deployment(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """End the process with a message and exit code 2 unless all of it is given, or none."""
    if bool(chosen.url) != (chosen.tokens is not None):
        parser.error("--url and --tokens go together: a running deployment, and users that it knows")
    if chosen.metrics and not chosen.url:
        parser.error("--metrics is of a running deployment, with --url")
