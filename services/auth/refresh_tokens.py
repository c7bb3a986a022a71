"""Refresh tokens: opaque, good for one use, and known as one of their session's when they come again.

`<family>.<secret>`, 256 bits each: all tokens of a session have the family, each has a secret of its own. Only
digests of them are stored. They need no salt: nobody guesses what was chosen at random from so many.
"""

import hashlib
import secrets
from typing import Final, Self

import msgspec

_LONGEST: Final = 128
_BYTES: Final = 32


class RefreshToken(msgspec.Struct, frozen=True):
    """What a client has."""

    text: str

    @classmethod
    def first(cls) -> Self:
        """The one of a new session."""
        return cls(f"{secrets.token_urlsafe(_BYTES)}.{secrets.token_urlsafe(_BYTES)}")

    def following(self) -> Self:
        """The next one of the same session."""
        return type(self)(f"{self._family_text()}.{secrets.token_urlsafe(_BYTES)}")

    @property
    def is_plausible(self) -> bool:
        """Whether it is worth a question."""
        return self.text.isascii() and len(self.text) <= _LONGEST and "." in self.text

    @property
    def family(self) -> str:
        """The digest of what it has in common with all others of its session."""
        return _digest(self._family_text())

    @property
    def digest(self) -> str:
        """Its own."""
        return _digest(self.text)

    def _family_text(self) -> str:
        return self.text.partition(".")[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
