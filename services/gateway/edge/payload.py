"""The payload of a polling request: packets as text, one after the other."""

import base64
from collections.abc import Iterable
from typing import Final

_SEPARATOR: Final = "\x1e"


def decode(payload: str) -> list[str | bytes]:
    """The packets of a payload; raises `ValueError` for what is none."""
    return [
        base64.b64decode(each[1:], validate=True) if each.startswith("b") else each
        for each in payload.split(_SEPARATOR)
    ]


def encode(packets: Iterable[str | bytes]) -> str:
    """The payload of packets."""
    return _SEPARATOR.join(
        each if isinstance(each, str) else "b" + base64.b64encode(each).decode() for each in packets
    )


def size(packet: str | bytes) -> int:
    """Bytes of a packet; what base64 adds is not counted."""
    return len(packet) if isinstance(packet, bytes) or packet.isascii() else len(packet.encode())
