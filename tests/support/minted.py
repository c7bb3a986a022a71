"""Tokens, minted once for all stacks that have the same signing keys: each mint is a process."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

USERS: Final = 400
_SECONDS_MOST: Final = 1200.0
"""How long a token is handed out after it was minted: it lasts for an hour."""

_kept: Final[dict[tuple[str, ...], tuple[float, list[str]]]] = {}


async def tokens(signing_keys: Path, mint: Callable[[int], Awaitable[list[str]]]) -> list[str]:
    """Tokens of load-1, load-2, ... up to `USERS`, by `mint` unless some are kept that these keys have signed."""
    keys = _names(signing_keys)
    made_at, kept = _kept.get(keys, (0.0, []))
    if not kept or time.monotonic() - made_at > _SECONDS_MOST:
        _kept[keys] = made_at, kept = time.monotonic(), await mint(USERS)
    return kept


def _names(signing_keys: Path) -> tuple[str, ...]:
    # No two keys that were made have the same: it is the time, in microseconds.
    return tuple(sorted(each.name for each in signing_keys.iterdir()))
