"""A member that costs little, and comes back by itself: a thousand of them fit in a test."""

import asyncio
import contextlib
import itertools
import json
import random
import time
from typing import Any, Final, Self

from deploy.local.ports import HOST
from loadtests.light.frames import client_frame, split

_HEAD: Final = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n"
)
_CLOSE_FRAME: Final = b"\x88"
_AGAIN_SECONDS: Final = 0.2
_NOT_NOW: Final = {"unavailable", "rate_limited"}
_LOST: Final = {"ok": False, "error": {"code": "unavailable"}}

LONGEST_DELAY_SECONDS: Final = 2.0
"""Before it connects again."""


class LightMember:
    """Within `async with`, a member of `rooms`; at each loss of its connection it goes to the next of `ports`.

    It does so some time after `may_connect`, so that a test can have everybody miss something.

    It joins as a client should that must not miss anything, keeps what it is told, and says what it is asked to.
    """

    def __init__(self, ports: list[int], token: str, rooms: list[str], may_connect: asyncio.Event) -> None:
        self._ports = ports
        self._may_connect = may_connect
        self._token = token
        self.told: dict[str, list[dict[str, Any]]] = {room: [] for room in rooms}
        """The messages of each room."""
        self.joined: dict[str, dict[str, Any]] = {}
        """What the joins of this connection were acknowledged with."""
        self.resumed: list[tuple[str, int]] = []
        """The rooms it joined again, and behind which seq."""
        self.connections = 0
        self.waits: list[float] = []
        """In seconds, how long it was away from any of its rooms, each time that it lost its connection."""
        self._since: dict[str, int] = {}
        self._lost_at: float | None = None
        self._inside = asyncio.Event()
        self._writer: asyncio.StreamWriter
        self._numbers = itertools.count(len(rooms))
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        """Begin."""
        self._running = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Go; raises what went wrong."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    @property
    def is_in(self) -> bool:
        """Whether it is in all its rooms."""
        return self.joined.keys() == self.told.keys()

    async def say(self, room: str, id: str) -> int:
        """Send a message until it is acknowledged, over whatever connection it has; its seq."""
        while True:
            await self._inside.wait()
            number = next(self._numbers)
            answered = self._asked[number] = asyncio.get_running_loop().create_future()
            payload = {"room": room, "id": id, "body": id}
            self._writer.write(client_frame(f"42{number}{json.dumps(['message', payload])}".encode()))
            ack = await answered
            if ack["ok"]:
                return int(ack["seq"])
            assert ack["error"]["code"] in _NOT_NOW, ack
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _run(self) -> None:
        while True:
            await self._may_connect.wait()
            if self.connections:
                await asyncio.sleep(random.uniform(0, LONGEST_DELAY_SECONDS))
            port = self._ports[self.connections % len(self._ports)]
            self.connections += 1
            try:
                reader, self._writer = await asyncio.open_connection(HOST, port)
            except OSError:
                continue
            try:
                await self._talk(reader, self._writer)
            except OSError:
                pass
            finally:
                self._writer.close()
            self._lose()

    def _lose(self) -> None:
        if self.is_in:
            self._lost_at = time.monotonic()
        self.joined.clear()
        self._inside.clear()
        for each in self._asked.values():
            each.set_result(_LOST)
        self._asked.clear()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD.encode() + client_frame(b"40" + json.dumps({"token": self._token}).encode()))
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        if not head.startswith(b"HTTP/1.1 101 "):
            return
        rest = b""
        while not rest.startswith(_CLOSE_FRAME) and (data := await reader.read(1 << 16)):
            packets, rest = split(rest + data)
            for each in packets:
                if each == b"2":
                    writer.write(client_frame(b"3"))
                elif each.startswith(b'42["session"'):
                    self._join_all(writer)
                else:
                    self._hear(each)

    def _join_all(self, writer: asyncio.StreamWriter) -> None:
        for number, (room, told) in enumerate(self.told.items()):
            request: dict[str, Any] = {"room": room}
            if room in self._since:
                request["after"] = told[-1]["seq"] if told else self._since[room]
                self.resumed.append((room, request["after"]))
            writer.write(client_frame(f"42{number}{json.dumps(['join', request])}".encode()))

    def _hear(self, packet: bytes) -> None:
        if packet.startswith(b'42["message"'):
            message = json.loads(packet[2:])[1]
            self.told[message["room"]].append(message)
        elif packet.startswith(b"43"):
            start = packet.index(b"[")
            (ack,) = json.loads(packet[start:])
            answered = self._asked.pop(int(packet[2:start]), None)
            if answered is None:
                self._be_in(ack)
            else:
                answered.set_result(ack)

    def _be_in(self, ack: dict[str, Any]) -> None:
        assert ack["ok"], ack
        self.joined[ack["room"]] = ack
        self._since.setdefault(ack["room"], ack["seq"])
        if self.is_in:
            self._inside.set()
            if self._lost_at is not None:
                self.waits.append(time.monotonic() - self._lost_at)
                self._lost_at = None
