"""What MongoDB says of the stream."""

from typing import NamedTuple


class Known(NamedTuple):
    """How far history has heard of the stream."""

    highest_seq: int
    """No message has a higher seq, in whatever room, nor was one acknowledged to the stream; 0: there is none."""
    newest_ts: int | None
    """When about the newest message was sent, in milliseconds since the epoch; None: not known."""
