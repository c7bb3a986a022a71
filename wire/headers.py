"""NATS headers that Parley sets or reads, and the identity by which the stream drops duplicates.

They are read from the block as it comes (https://docs.nats.io/reference/reference-protocols/nats-protocol#hpub): a
live message has seven headers, or eight if its trace is recorded, and three matter.
"""

import re
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

MESSAGE_ID: Final = "Nats-Msg-Id"
TRACEPARENT: Final = "traceparent"
"""Which request it belongs to (https://www.w3.org/TR/trace-context/): of every question to a service, and of a stored
message whose trace is recorded."""
_SEQUENCE: Final = b"\r\nNats-Sequence:"
_LAST_SEQUENCE: Final = b"\r\nNats-Last-Sequence:"
_STORED_AT: Final = b"\r\nNats-Time-Stamp:"
_TRACED: Final = re.compile(rb"NATS/1\.0\r\ntraceparent: (00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})\r\n\r\n")
_USUAL: Final = re.compile(
    rb"\r\nNats-Sequence: (\d+)\r\nNats-Time-Stamp: (.{17})([\d.]+)Z\r\nNats-Last-Sequence: (\d+)\r\n"
)
"""As nats-server writes them; any other order and spacing is as good, and takes longer."""


def message_id(user: str, room: str, id: str) -> str:
    """The value of `MESSAGE_ID` for message `id` of `user` in `room`.

    Deduplication is stream-wide, so the room and the sender are part of it: the same id in another room, or by
    another user, is another message. Ids cannot contain the separator (see `wire.ids`).
    """
    return blake2b(f"{user}/{room}/{id}".encode(), digest_size=16).hexdigest()


def identified(message_id: str, traceparent: str = "") -> bytes:
    """The header block of a publish that the stream drops when it has seen `message_id` lately."""
    trace = f"{TRACEPARENT}: {traceparent}\r\n" if traceparent else ""
    return f"NATS/1.0\r\n{MESSAGE_ID}: {message_id}\r\n{trace}\r\n".encode()


def traced(traceparent: str) -> bytes:
    """The header block of a question; `traceparent` is one, and may not be what somebody sent."""
    return f"NATS/1.0\r\n{TRACEPARENT}: {traceparent}\r\n\r\n".encode()


def put(after: int, *, deleted: bool = False) -> bytes:
    """The header block of a put in a key-value bucket, refused unless the key's revision is `after` (0: none)."""
    operation = "KV-Operation: DEL\r\n" if deleted else ""
    return f"NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: {after}\r\n{operation}\r\n".encode()


def kept_for(seconds: int) -> bytes:
    """The header block of a publish that its stream keeps for `seconds` (1 or more), and no longer."""
    return f"NATS/1.0\r\nNats-TTL: {seconds}\r\n\r\n".encode()


def only_traceparent(headers: bytes) -> str:
    """The traceparent of a block that has one, as `traced` writes it, and nothing else; "" of any other."""
    written = _TRACED.fullmatch(headers)
    return "" if written is None else written[1].decode("ascii")


class Position(NamedTuple):
    """Where a republished message stands in its room."""

    seq: int
    prev: int
    """The seq before it in the same room; 0 when the stream holds none."""
    stored_at: float
    """When nats-server stored it, seconds since the epoch."""


def position(headers: bytes) -> Position:
    """Read the headers that the stream's republish adds; raises `KeyError` or `ValueError` if it was not one."""
    usual = _USUAL.search(headers)
    if usual is not None:
        seq, minute, seconds, prev = usual.groups()
    else:
        seq, prev, stored_at = (_value(headers, name) for name in (_SEQUENCE, _LAST_SEQUENCE, _STORED_AT))
        minute, seconds = stored_at.strip()[:17], stored_at.strip()[17:].rstrip(b"Z")
    # RFC 3339 in UTC with up to nanoseconds: a minute is the same for many messages, and its seconds are a number.
    return Position(int(seq), int(prev), _minute(minute) + float(seconds))


@lru_cache(maxsize=4)
def _minute(prefix: bytes) -> float:
    return datetime.fromisoformat(f"{prefix.decode('ascii')}00+00:00").timestamp()


def _value(headers: bytes, name: bytes) -> bytes:
    at = headers.find(name)
    if at < 0:
        raise KeyError(name)
    at += len(name)
    return headers[at : headers.index(b"\r\n", at)]
