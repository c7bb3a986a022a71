"""What the edge serves, as the edge sees it."""

from typing import Protocol

import msgspec

from services.gateway.connection import Connection
from wire.messages import Verified


class Application(Protocol):
    """What the edge serves."""

    async def authenticate(self, auth: object) -> Verified:
        """Who connects with the CONNECT packet's `auth`; raises `ParleyError` to refuse."""

    def connected(self, connection: Connection) -> None:
        """`connection` is there, and may be sent to."""

    def disconnected(self, connection: Connection) -> None:
        """`connection` is gone."""

    def is_ordered(self, event: str) -> bool:
        """Whether later events of a connection wait until this one is done."""

    async def handle(self, connection: Connection, event: str, argument: msgspec.Raw) -> msgspec.Struct:
        """Carry out `event` and return its acknowledgement. Never raises."""
