"""The WebSocket under the official client, as it is needed here: says why it failed, and can be gone at once."""

import socket
import struct
from contextlib import suppress
from typing import Any, Final

import websocket

_RESET: Final = struct.pack("ii", 1, 0)


class ResettableWebSocket(websocket.WebSocket):
    """`failure`: why it could not connect, where python-engineio raises "Connection error", or only logs it."""

    failure: Exception | None = None

    def connect(self, url: str, **options: Any) -> None:
        """Keep what goes wrong."""
        try:
            super().connect(url, **options)  # type: ignore[no-untyped-call]
        except Exception as error:
            self.failure = error
            raise

    def reset(self) -> None:
        """Be gone without a word, as when a device dies. Does not wait; a closed one is no error.

        The system resets the connection: one that is merely closed keeps its port for a minute, and a storm of
        clients from one address would run out of them.
        """
        if self.sock is not None:
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with suppress(OSError):
                self.sock.close()
