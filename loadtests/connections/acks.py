"""What the server answers to an event."""

from typing import Final

import msgspec

ANSWER_SECONDS: Final = 15.0
"""Who has no answer by then has none."""


class _Error(msgspec.Struct):
    code: str


class Ack(msgspec.Struct):
    """To a join, or to a message."""

    ok: bool
    seq: int = 0
    truncated: bool = False
    """Of a join: the oldest of what was missed did not come."""
    error: _Error | None = None

    @property
    def code(self) -> str:
        """Why not."""
        return self.error.code if self.error is not None else "no code"


_decoder: Final = msgspec.json.Decoder(Ack)


def read(data: bytes) -> Ack:
    """Raises `msgspec.MsgspecError`: it is none."""
    return _decoder.decode(data)
