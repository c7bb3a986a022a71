"""An event that a client has sent and that has not been acknowledged yet."""

from typing import Final

import msgspec

from services.gateway import metrics, outcomes
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.replies import Failed
from wire.errors import ParleyError

_encode: Final = msgspec.json.encode


class Call:
    """Acknowledged once, by `done` or `failed`, now or later."""

    __slots__ = ("_ack_id", "_fan_out", "connection", "name")

    def __init__(self, connection: Connection, name: str, ack_id: str, fan_out: FanOut) -> None:
        self.connection: Final = connection
        self.name: Final = name
        self._ack_id = ack_id
        self._fan_out = fan_out

    def began(self) -> None:
        """It is under way, and will be answered later."""
        self.connection.event_began()

    def ended(self) -> None:
        """It is not any more."""
        self.connection.event_ended()

    def done(self, reply: msgspec.Struct) -> None:
        """It was carried out."""
        metrics.events[self.name, "ok"] += 1
        self._acknowledge(reply)

    def failed(self, error: ParleyError) -> None:
        """It was not."""
        metrics.events[outcomes.of_event(self.name, error.code)] += 1
        self.connection.refused += 1
        self._acknowledge(Failed.of(error))

    def _acknowledge(self, reply: msgspec.Struct) -> None:
        # Without an id the client did not ask for it; and whoever has the session by now did not, either.
        if self._ack_id and self.connection.is_open:
            packet = f"3{self._ack_id}[".encode() + _encode(reply) + b"]"
            self._fan_out.send(self.connection, packet)
