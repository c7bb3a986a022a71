"""One client's connection, as everything above the edge sees it."""

import asyncio
import time
from typing import Any, Final

from wire.messages import Verified

EVENTS_AT_ONCE: Final = 64
"""Events of one connection under way at once; the next is read when one is done."""


class Connection:
    """Made by the edge once the client's token was verified; closed by the edge alone."""

    __slots__ = ("bearer", "id", "is_open", "rooms", "slots", "socket")

    def __init__(self, id: str, bearer: Verified, socket: Any) -> None:
        self.id: Final = id
        """Unique among all connections of all gateways."""
        self.bearer: Final = bearer
        self.rooms: Final[set[str]] = set()
        self.is_open = True
        self.slots: Final = asyncio.Semaphore(EVENTS_AT_ONCE)
        self.socket: Final = socket
        """The edge's own business."""

    @property
    def expires_in(self) -> int:
        """Seconds until its token expires."""
        return max(0, self.bearer.expires_at - int(time.time()))
