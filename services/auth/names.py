"""What people and groups may be called."""

import unicodedata
from typing import Final

from wire.errors import ErrorCode, ParleyError

LONGEST: Final = 64

_NOT_IN_NAMES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Cf holds the bidirectional overrides, with which one name can be made to look like another."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Part of how some scripts, and some emoji, are written."""
_WITHOUT_INK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""


def shown(text: str, field: str) -> str:
    """`text` as it will be shown: composed, trimmed, one line. Raises `ParleyError` (invalid) that names `field`."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= LONGEST:
        raise ParleyError(ErrorCode.INVALID, f"{field} must have 1 to {LONGEST} characters")
    if any(unicodedata.category(each) in _NOT_IN_NAMES and each not in _JOINERS for each in name):
        raise ParleyError(ErrorCode.INVALID, f"{field} must not have control characters")
    if not any(unicodedata.category(each)[0] in "LNPS" and each not in _WITHOUT_INK for each in name):
        raise ParleyError(ErrorCode.INVALID, f"{field} must have something to see")
    return name
