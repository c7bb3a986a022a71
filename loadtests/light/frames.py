"""WebSocket frames as these servers send them (RFC 6455: unmasked, never fragmented), and as clients must."""

from typing import Final

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
CLOSE_FRAME: Final = bytes((_CLOSE,))
"""What a close frame begins with."""
_SHORT, _LONG = 126, 127


class FrameError(Exception):
    """The server sent what no server of these sends."""


def client_frame(payload: bytes) -> bytes:
    """`payload` as a text frame of a client. The mask is zero, which is a mask like any other."""
    size = len(payload)
    if size < _SHORT:
        return bytes((_TEXT, 0x80 | size, 0, 0, 0, 0)) + payload
    return bytes((_TEXT, 0x80 | _SHORT)) + size.to_bytes(2, "big") + bytes(4) + payload


PONG: Final = client_frame(b"3")


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The payloads of all whole frames in `data`, and the rest. A close frame is no payload: what follows is lost."""
    payloads: list[bytes] = []
    start, end = 0, len(data)
    while end - start >= 2:
        kind, size = data[start], data[start + 1]
        if kind == _CLOSE:
            break
        if kind != _TEXT:
            raise FrameError(f"a frame of kind {kind:#x}")
        head = start + 2
        if size >= _SHORT:
            wide = 2 if size == _SHORT else 8
            if end - head < wide:
                break
            size, head = int.from_bytes(data[head : head + wide], "big"), head + wide
        if end - head < size:
            break
        payloads.append(data[head : head + size])
        start = head + size
    return payloads, data[start:]
