"""A light client, for volume: WebSocket only; comes back as the official ones do, only sooner, and recovers."""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import aiohttp

from tests.faults.suite.line import Listener, LostError

_PATH: Final = "/socket.io/?EIO=4&transport=websocket"
_HANDSHAKE_SECONDS: Final = 5.0
_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


class LightLine:
    """See `line.Line`; `url` is where it connects, with `auth`."""

    def __init__(self, url: str, auth: dict[str, Any], listener: Listener, rng: random.Random) -> None:
        self._url = url
        self._auth = auth
        self._session: dict[str, str] = {}
        """What it asks for when it comes back: `pid` and `offset`, if it has them."""
        self._listener = listener
        self._rng = rng
        self._numbers = itertools.count()
        self._acks: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._is_connected = False
        self._reading = asyncio.Event()
        self._reading.set()
        self._may_connect = asyncio.Event()
        self._may_connect.set()

    async def start(self) -> None:
        """See `line.Line`."""
        self._http = aiohttp.ClientSession()
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """See `line.Line`."""
        self._running.cancel()
        await asyncio.wait({self._running})
        await self._http.close()

    async def ask(self, event: str, payload: dict[str, Any], /, *, seconds: float) -> dict[str, Any]:
        """See `line.Line`."""
        if self._socket is None or not self._is_connected:
            raise LostError
        number = next(self._numbers)
        answered = self._acks[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                await self._send(f"42{number}{json.dumps([event, payload])}")
                ack: dict[str, Any] = await answered
            return ack
        finally:
            self._acks.pop(number, None)

    @contextmanager
    def not_reading(self) -> Iterator[None]:
        """Take nothing from the socket within the block; the connection stays."""
        self._reading.clear()
        try:
            yield
        finally:
            self._reading.set()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Lose the connection, and make no other within the block."""
        self._may_connect.clear()
        try:
            if self._socket is not None:
                await self._socket.close()
            yield
        finally:
            self._may_connect.set()

    async def _run(self) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            await self._may_connect.wait()
            try:
                await self._connection()
            except (aiohttp.ClientError, OSError, LostError):
                pass  # it is made again
            finally:
                pause = _SHORTEST_PAUSE if self._is_connected else min(pause * 2, _LONGEST_PAUSE)
                self._end()
            await asyncio.sleep(pause * self._rng.uniform(0.5, 1.5))

    async def _connection(self) -> None:
        """Serve one connection to its end, whatever that is."""
        timeout = aiohttp.ClientWSTimeout(ws_close=1.0)
        async with asyncio.timeout(_HANDSHAKE_SECONDS) as handshake:
            async with self._http.ws_connect(self._url + _PATH, timeout=timeout, max_msg_size=0) as socket:
                self._socket = socket
                opened = json.loads((await _receive(socket, _HANDSHAKE_SECONDS))[1:])
                silence = (opened["pingInterval"] + opened["pingTimeout"]) / 1000
                await self._send(f"40{json.dumps({**self._auth, **self._session})}")
                answer = await _receive(socket, _HANDSHAKE_SECONDS)
                if not answer.startswith("40"):
                    return
                handshake.reschedule(None)
                self._is_connected = True
                self._listener.connected(recovered=self._is_recovered(json.loads(answer[2:])))
                while (packet := await _receive(socket, silence)) != "41":
                    await self._handle(packet)
                    await self._reading.wait()

    async def _handle(self, packet: str) -> None:
        if packet == "2":
            await self._send("3")
        elif packet.startswith("42"):
            event, *args = json.loads(packet[2:])
            if self._session and args and isinstance(args[-1], str):
                self._session["offset"] = args[-1]
            self._listener.heard(event, args[0] if args else None)
        elif packet.startswith("43"):
            start = packet.index("[")
            answered = self._acks.get(int(packet[2:start]))
            if answered is not None and not answered.done():
                answered.set_result(json.loads(packet[start:])[0])

    def _is_recovered(self, answer: dict[str, str]) -> bool:
        """Whether `answer` to the CONNECT packet gives back the session that it had."""
        pid, before = answer.get("pid"), self._session.get("pid")
        if pid is not None:
            self._session["pid"] = pid  # the offset of another session is kept, as JavaScript's client does
        return pid is not None and pid == before

    async def _send(self, packet: str) -> None:
        if self._socket is None:
            raise LostError
        try:
            await self._socket.send_str(packet)
        except (aiohttp.ClientError, OSError):
            raise LostError from None

    def _end(self) -> None:
        self._socket = None
        for each in self._acks.values():
            if not each.done():
                each.set_exception(LostError())
        if self._is_connected:
            self._is_connected = False
            self._listener.disconnected()


async def _receive(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> str:
    """The next packet. Raises `LostError` at the end, and `TimeoutError` after `seconds` of silence."""
    message = await socket.receive(timeout=seconds)
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise LostError
    return str(message.data)
