"""Why something failed, as a code: the server's own, or what became of the connection, or of this machine.

The libraries under the official client bury the system's error: websocket-client raises it, python-engineio raises
another in its place or only logs it, and urllib3 keeps its text. A run that lacks files or ports is not valid, so
these are dug out.
"""

import errno
import re
from collections.abc import Iterator
from typing import Final

from websocket import WebSocketBadStatusException, WebSocketTimeoutException

from loadtests.kinds import NO_FILES, NO_PORTS, TIMEOUT, UNREACHABLE

_OWN: Final = {errno.EMFILE: NO_FILES, errno.ENFILE: NO_FILES, errno.EADDRNOTAVAIL: NO_PORTS}
_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")
_STATUS: Final = re.compile(r"Unexpected status code (\d{3})")
_DEPTH_MOST: Final = 20


class Failure(Exception):  # noqa: N818 - most are the server's "no", not errors
    """`code`: the server's (`wire.errors`), one of `kinds`, or `HTTP` and a status."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code_of(*errors: object) -> str:
    """Of a connection that could not be made: by exceptions, with what they hide, and by what the server said.

    What this machine lacks goes first, then what the server said; `UNREACHABLE` when nothing is known.
    """
    whole = [part for error in errors for part in _parts(error)]
    for find in (_own, _said, _status, _late):
        for part in whole:
            if code := find(part):
                return code
    return UNREACHABLE


def _parts(error: object) -> Iterator[object]:
    """`error`, and all that it was raised from, was raised while handling, or wraps."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _DEPTH_MOST:
        part = waiting.pop(0)
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, BaseException):
            waiting += [part.__cause__, part.__context__, getattr(part, "reason", None), *part.args]


def _own(part: object) -> str | None:
    numbers = [int(number) for number in _NUMBER.findall(str(part))]
    if isinstance(part, OSError) and part.errno is not None:
        numbers.append(part.errno)
    return next((_OWN[number] for number in numbers if number in _OWN), None)


def _said(part: object) -> str | None:
    match part:
        case {"data": {"code": str(code)}} | {"code": str(code)}:
            return code
        case _:
            return None


def _status(part: object) -> str | None:
    if isinstance(part, WebSocketBadStatusException):
        return f"HTTP {part.status_code}"
    found = _STATUS.search(part) if isinstance(part, str) else None
    return f"HTTP {found[1]}" if found else None


def _late(part: object) -> str | None:
    is_late = isinstance(part, TimeoutError | WebSocketTimeoutException) or "timed out" in str(part)
    return TIMEOUT if is_late else None
