"""What comes from NATS, and the interest in it: nothing per subject but this object."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One message, as it came: nothing in it was decoded."""

    subject: bytes
    """Need not be UTF-8: anybody who may publish can choose it."""
    data: bytes
    headers: bytes
    """The whole NATS header block, ``NATS/1.0...`` with its empty line; b"" for none."""


OnMessage = Callable[[Delivery], None]


class _Client(Protocol):
    def forget(self, sid: int) -> None: ...


class Listening:
    """Interest in one subject, until it is closed or the connection is.

    Stands among nats-py's subscriptions, so that its reconnect subscribes it again. Theirs have a queue and a task
    each; this one has neither, so there is nothing that could be full or slow.
    """

    __slots__ = ("_client", "_sid", "_subject", "deliver")

    # What nats-py reads of a subscription, beside `_subject`, when it reconnects and when it closes.
    _queue: Final = ""
    _max_msgs: Final = 0
    _received: Final = 0
    _wait_for_msgs_task: Final = None
    _message_iterator: Final = None
    _pending_next_msgs_calls: Final = None

    def __init__(self, client: _Client, sid: int, subject: str, deliver: OnMessage) -> None:
        self._client = client
        self._sid = sid
        self._subject = subject
        self.deliver: Final = deliver

    def close(self) -> None:
        """Hear nothing more: what has arrived and was not delivered is dropped. Idempotent."""
        self._client.forget(self._sid)
