"""Frames from clients, parsed by aiohttp's compiled reader.

The reader hands messages to a queue. Here the queue is the parser itself, which passes each on at once: nothing is
queued, so the queue's limit is never reached, and the reader never stalls.
"""

from typing import Any, Final, Protocol

from aiohttp import WSCloseCode, WSMsgType
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.http_websocket import WebSocketError

_FINAL: Final = 0x80
_MASKED: Final = 0x80
_NOT_ON_THE_WIRE: Final = frozenset({1004, 1005, 1006})
"""Close codes that RFC 6455 (7.4.1) reserves for local use."""


class Messages(Protocol):
    """Who gets what was parsed."""

    def message(self, payload: str | bytes) -> None:
        """A text or binary message. Never raises."""

    def pinged(self, payload: bytes) -> None:
        """A ping frame."""

    def close_requested(self, code: int) -> None:
        """A close frame; 0 if it has no code."""

    def broken(self, code: int) -> None:
        """What came breaks the protocol: close with `code`. Nothing more will be parsed."""


class FrameParser(WebSocketDataQueue):
    """Parses what one peer sends. `stop` it when the peer is gone."""

    __slots__ = ("_reader", "_target")

    def __init__(self, payload_most: int) -> None:
        # Without the queue's own __init__: its deque would be 600 bytes that nothing is ever put in.
        self._target: Messages | None = None
        self._reader: WebSocketReader | None = WebSocketReader(
            self, payload_most + 1, compress=False, decode_text=True
        )

    def feed(self, data: bytes, target: Messages) -> None:
        """Parse `data`, and tell `target` of each message in it."""
        self._target = target
        if self._reader is not None:
            self._reader.feed_data(data)

    def stop(self) -> None:
        """Parse nothing more; the parser and its reader let go of each other."""
        self._reader = self._target = None

    def feed_data(self, data: Any, _size: int) -> None:
        """A message from the reader (a callback of C code: what is raised here would be lost)."""
        target = self._target
        if target is None:
            return
        kind, payload = data[0], data[1]
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
            target.message(payload)
        elif kind is WSMsgType.PING:
            target.pinged(bytes(payload))
        elif kind is WSMsgType.CLOSE:
            legal = payload < 5000 and payload not in _NOT_ON_THE_WIRE
            target.close_requested(payload if legal else WSCloseCode.PROTOCOL_ERROR)

    def set_exception(self, exc: BaseException, *_: object) -> None:
        """An error from the reader."""
        target, self._target = self._target, None
        if target is not None:
            target.broken(exc.code if isinstance(exc, WebSocketError) else WSCloseCode.INTERNAL_ERROR)


def is_one_whole_frame(data: bytes) -> bool:
    """Whether `data` is exactly one frame: final, masked, whole. A parser that was fed it keeps nothing of it."""
    size = len(data)
    if size < 6 or not data[0] & _FINAL or not data[1] & _MASKED:
        return False
    length = data[1] & 127
    if length < 126:
        return size == 6 + length
    if length == 126:
        return size == 8 + (data[2] << 8 | data[3])
    return size >= 14 and size == 14 + int.from_bytes(data[2:10], "big")


def is_masked(data: bytes) -> bool:
    """Whether the frame that begins `data` is masked, as a client's has to be (RFC 6455, 5.1), as far as it shows."""
    return len(data) < 2 or bool(data[1] & _MASKED)
