"""Socket.IO packets from clients: decoded by python-socketio, refused where the JavaScript server refuses them."""

from typing import Any, Final

from socketio import packet
from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT

from services.gateway.edge import codec
from services.gateway.edge.limits import Limits

_RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Event names that a client may not send: the server's own handlers have them, here or in the JavaScript server."""


def checked(limits: Limits) -> type[packet.Packet]:
    """The packet class of a server with these limits. Decoding raises `ValueError` for what no client may send."""

    class Packet(packet.Packet):  # type: ignore[misc] # python-socketio is not typed
        """One packet."""

        json = codec

        def decode(self, encoded_packet: Any) -> int:
            """See python-socketio; returns how many attachments are to come."""
            if not isinstance(encoded_packet, str):
                raise ValueError("an attachment that was not announced")  # noqa: TRY004 - like every malformed packet
            count: int = super().decode(encoded_packet)
            is_binary = self.packet_type in {BINARY_EVENT, BINARY_ACK}
            if not _is_well_formed(self) or (count > 0) != is_binary:
                raise ValueError("a malformed packet")
            if count > limits.attachments_most:
                raise ValueError("too many attachments")
            return count

        def add_attachment(self, attachment: Any) -> bool:
            """See python-socketio; all of a packet's attachments together are no larger than one payload."""
            if not isinstance(attachment, bytes):
                raise ValueError("an attachment is missing")  # noqa: TRY004
            if sum(map(len, self.attachments)) + len(attachment) > limits.payload_most:
                raise ValueError("attachments are too large")
            return bool(super().add_attachment(attachment))

        @classmethod
        def _reconstruct_binary_internal(cls, data: Any, attachments: list[bytes]) -> Any:
            if isinstance(data, dict) and data.get("_placeholder") is True:
                _check_placeholder(data.get("num"), len(attachments))
            return super()._reconstruct_binary_internal(data, attachments)

    return Packet


def _is_well_formed(decoded: packet.Packet) -> bool:
    kind, data = decoded.packet_type, decoded.data
    if kind in {EVENT, BINARY_EVENT}:
        return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in _RESERVED
    if kind in {ACK, BINARY_ACK}:
        return isinstance(data, list) and decoded.id is not None
    return kind == CONNECT or (kind == DISCONNECT and data is None)


def _check_placeholder(number: object, count: int) -> None:
    if type(number) is not int or not 0 <= number < count:
        raise ValueError("a placeholder of no attachment")
