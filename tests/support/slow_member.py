"""A client that reads only when a test says so, from a socket that holds little."""

import asyncio
import json
import socket
from typing import Any, Final, Self

from deploy.local.ports import HOST
from tests.conformance.raw import TEXT, frame

_SECONDS: Final = 15.0
_HEAD: Final = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n"
)


class SlowMember:
    """Connected over a WebSocket within `async with`; from then on it reads nothing by itself."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._read = b""

    async def __aenter__(self) -> Self:
        """Connect."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, (HOST, self._port))
        await loop.sock_sendall(self._socket, _HEAD.encode())
        while b"\r\n\r\n" not in self._read:
            await self._more()
        self._read = self._read.split(b"\r\n\r\n", 1)[1]
        await self._send("40" + json.dumps({"token": self._token}))
        while not (await self._packet()).startswith('42["session"'):
            pass
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go without a word."""
        self._socket.close()

    async def send(self, event: str, payload: dict[str, Any]) -> None:
        """Send an event that wants an acknowledgement."""
        await self._send("421" + json.dumps([event, payload]))

    async def read_until_ack(self) -> tuple[list[int], dict[str, Any]]:
        """Read up to the next acknowledgement: the seqs of the messages before it, and what it says."""
        told, ack = await self.read_all_until_ack()
        return [payload["seq"] for name, payload in told if name == "message"], ack

    async def read_all_until_ack(self) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
        """The same, with every event before it: its name and what it says."""
        told: list[tuple[str, Any]] = []
        while not (packet := await self._packet()).startswith("431"):
            if packet.startswith("42"):
                name, payload = json.loads(packet[2:])
                told.append((name, payload))
        (ack,) = json.loads(packet[3:])
        return told, ack

    async def read_until(self, event: str, /, **shown: Any) -> list[tuple[str, Any]]:
        """Read up to an `event` that shows `shown`; every event up to it."""
        told: list[tuple[str, Any]] = []
        while not told or told[-1][0] != event or not shown.items() <= told[-1][1].items():
            packet = await self._packet()
            if packet.startswith("42"):
                name, payload = json.loads(packet[2:])
                told.append((name, payload))
        return told

    async def _send(self, packet: str) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, frame(TEXT, packet.encode()))

    async def _packet(self) -> str:
        size = (await self._take(2))[1]
        if size >= 126:
            size = int.from_bytes(await self._take(2 if size == 126 else 8), "big")
        return (await self._take(size)).decode()

    async def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            await self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    async def _more(self) -> None:
        async with asyncio.timeout(_SECONDS):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 16)
        if not data:
            raise EOFError
        self._read += data
