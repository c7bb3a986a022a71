"""What a type cannot say of a body, or of the data that goes with it."""

from typing import Final

import msgspec
from msgspec import Raw

from wire.errors import ErrorCode, ParleyError

BODY_MOST_BYTES: Final = 16 * 1024
DATA_MOST_BYTES: Final = 16 * 1024
DATA_DEEPEST: Final = 64
"""Deeper JSON is legal, and overflows the stack of some of the clients that would receive it."""


def check_body(body: str, *, most: int = BODY_MOST_BYTES) -> None:
    """Raises `ParleyError`: invalid when empty, too_large above `most` bytes of UTF-8."""
    if not body:
        raise ParleyError(ErrorCode.INVALID, "body is empty")
    if len(body) > most or len(body.encode()) > most:
        raise ParleyError(ErrorCode.TOO_LARGE, f"body is larger than {most} bytes")


def check_title(title: str, *, most: int) -> None:
    """Raises `ParleyError`: invalid when there is nothing to see in it, too_large above `most` characters."""
    if not title.strip():
        raise ParleyError(ErrorCode.INVALID, "title is empty")
    if len(title) > most:
        raise ParleyError(ErrorCode.TOO_LARGE, f"title is longer than {most} characters")


def check_data(data: Raw, *, most: int = DATA_MOST_BYTES) -> None:
    """Raises `ParleyError` for JSON that is larger than `most`, too deep, or that not every client could read."""
    raw = bytes(data)
    if len(raw) > most:
        raise ParleyError(ErrorCode.TOO_LARGE, f"data is larger than {most} bytes")
    if not raw:
        return
    try:
        # Skipping over a value checks its syntax alone; decoding it also rejects numbers and text out of range.
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParleyError(ErrorCode.INVALID, f"data: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > DATA_DEEPEST and _depth(value) > DATA_DEEPEST:
        raise ParleyError(ErrorCode.INVALID, f"data is nested deeper than {DATA_DEEPEST}")


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level = [each for each in inner if isinstance(each, dict | list)]
    return depth
