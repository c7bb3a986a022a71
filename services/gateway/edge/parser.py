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


class StrictParser(FrameParser):
    """For a peer whose reads are not whole frames. Sees to what aiohttp's reader lets pass in them.

    That every frame is masked (RFC 6455, 5.1), and that no message begins within another one (5.4).
    """

    __slots__ = ("_head", "_inside", "_skip", "frames")

    def __init__(self, payload_most: int) -> None:
        super().__init__(payload_most)
        self.frames = 0
        """How many began in what it was fed last."""
        self._head = b""
        """The beginning of a header whose rest has not come."""
        self._skip = 0
        """Bytes before the next header."""
        self._inside = False
        """Whether a message has begun that other frames continue."""

    def feed(self, data: bytes, target: Messages) -> None:
        """See `FrameParser`; what comes before an error is told before it."""
        legal = self._legal(data)
        super().feed(data if legal == len(data) else data[:legal], target)
        if legal < len(data) and self._target is not None:
            target.broken(WSCloseCode.PROTOCOL_ERROR)

    def _legal(self, data: bytes) -> int:
        known = len(self._head)
        whole, at, size = self._head + data, self._skip, known + len(data)
        self.frames = 0
        while size - at >= 2:
            kind, length = whole[at] & 15, whole[at + 1] & 127
            if not whole[at + 1] & _MASKED or (self._inside and 0 < kind < 8):
                return max(at - known, 0)
            payload = at + (6 if length < 126 else 8 if length == 126 else 14)
            if payload - 4 > size:
                break  # a frame whose length is not known yet
            if kind < 8:
                self._inside = not whole[at] & _FINAL
            if length >= 126:
                length = int.from_bytes(whole[at + 2 : payload - 4], "big")
            at = payload + length
            self.frames += 1
        self._skip, self._head = (at - size, b"") if at >= size else (0, whole[at:])
        return len(data)
