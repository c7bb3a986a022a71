"""NATS headers that Parley sets or reads, and the identity by which the stream drops duplicates."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

MESSAGE_ID: Final = "Nats-Msg-Id"
_SEQUENCE: Final = "Nats-Sequence"
_LAST_SEQUENCE: Final = "Nats-Last-Sequence"
_STORED_AT: Final = "Nats-Time-Stamp"


def message_id(user: str, room: str, id: str) -> str:
    """The value of `MESSAGE_ID` for message `id` of `user` in `room`.

    Deduplication is stream-wide, so the room and the sender are part of it: the same id in another room, or by
    another user, is another message. Ids cannot contain the separator (see `wire.ids`).
    """
    return blake2b(f"{user}/{room}/{id}".encode(), digest_size=16).hexdigest()


class Position(NamedTuple):
    """Where a republished message stands in its room."""

    seq: int
    prev: int
    """The seq before it in the same room; 0 when the stream holds none."""
    stored_at: str
    """When nats-server stored it, RFC 3339 with nanoseconds."""


def position(headers: Mapping[str, str]) -> Position:
    """Read the headers that the stream's republish adds; raises `KeyError` or `ValueError` if it was not one."""
    return Position(int(headers[_SEQUENCE]), int(headers[_LAST_SEQUENCE]), headers.get(_STORED_AT, ""))
