"""Arguments of the commands, with bounds."""

import argparse
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import urlsplit

_Told = TypeVar("_Told")

_NAME_MOST: Final = 20


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
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError(f"{text!r} is not like http://HOST:PORT")
    return text


def name(text: str) -> str:
    """What may be a part of a room's name; raises `ValueError`."""
    if not (text.isascii() and text.isalnum() and len(text) <= _NAME_MOST):
        raise ValueError(f"{text!r} is not of 1 to {_NAME_MOST} letters and digits")
    return text
