"""From polling to a WebSocket as Engine.IO does it: probe, answer, upgrade. Nothing is lost, and order is kept."""

from typing import Protocol

from aiohttp import WSCloseCode

from services.gateway.edge import frames, metrics
from services.gateway.edge.session import Session


class Outgoing(Protocol):
    """The polling transport."""

    def prepare_upgrade(self) -> None:
        """Answer polls at once, so that the client can stop."""

    def hand_over(self) -> bytes:
        """End, and return what is still queued."""

    def upgrade_failed(self) -> None:
        """Go on."""


class Incoming(Protocol):
    """The WebSocket."""

    def write(self, data: bytes, /) -> None:
        """Send."""

    def close(self, last: bytes, code: int) -> None:
        """End."""

    def carry(self, session: Session, waiting: bytes) -> None:
        """Become the transport of `session`, and send it `waiting`."""

    def pause_reading(self) -> None:
        """Let the client wait."""


class Upgrade:
    """One attempt. Until the client's last word the session stays on `outgoing`, and may end there."""

    __slots__ = ("_incoming", "_is_over", "_is_probed", "_outgoing", "_session")

    def __init__(self, session: Session, outgoing: Outgoing, incoming: Incoming) -> None:
        self._session = session
        self._outgoing = outgoing
        self._incoming = incoming
        self._is_probed = False
        self._is_over = False

    def receive(self, packet: str | bytes) -> None:
        """What came on the WebSocket."""
        if not self._is_probed and packet == "2probe":
            self._is_probed = True
            metrics.sent(1, len(frames.PROBED))
            self._incoming.write(frames.PROBED)
            self._outgoing.prepare_upgrade()
        elif self._is_probed and packet == "5" and not self._session.closed:
            self._is_over = True
            self._incoming.carry(self._session, self._outgoing.hand_over())
            if self._session.held is not None:
                self._incoming.pause_reading()
        else:
            self.give_up()

    def give_up(self) -> None:
        """It did not come in time, or wrongly. Idempotent; nothing once the session was taken over."""
        if not self._is_over:
            self._is_over = True
            self._outgoing.upgrade_failed()
            self._incoming.close(b"", WSCloseCode.PROTOCOL_ERROR)
