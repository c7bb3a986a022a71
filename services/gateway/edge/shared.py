"""What all WebSockets of an engine share."""

from typing import Final, Protocol

from services.gateway.edge.backlog import Backlog
from services.gateway.edge.limits import Limits
from services.gateway.edge.parser import FrameParser
from services.gateway.edge.wheel import Wheel


class Closing(Protocol):
    """A WebSocket whose close frame was sent."""

    def abort(self) -> None:
        """End the connection at once."""


class Shared:
    """See above."""

    def __init__(self, limits: Limits, backlog: Backlog) -> None:
        self.backlog: Final = backlog
        self.limits: Final = limits
        self.closing: Final[Wheel[Closing]] = Wheel(lambda each: each.abort(), tick=0.25)
        self.parting: Final[set[Closing]] = set()
        """Those whose close frame was sent, until their connection is gone."""
        self.parser = FrameParser(limits.payload_most)
        """For reads that are one whole frame, of which a parser keeps nothing: of almost all of them."""
