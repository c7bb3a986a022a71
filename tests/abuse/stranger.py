"""Somebody whom the gateway does not know, with an address of its own, so that no limit takes one for another."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from deploy.local.ports import HOST
from tests.abuse.line import Answer, Line, line
from tests.abuse.websocket import Socket
from tests.support.stacks import TestStack

PATH: Final = "/socket.io/?EIO=4&transport="
HANDSHAKE: Final = (
    "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


class Stranger:
    """Sends to gateway 1, from `address`. `keep_secret` is told of what must never be in a log."""

    def __init__(self, stack: TestStack, address: str, keep_secret: Callable[[str], str]) -> None:
        self.stack = stack
        self.address = address
        self.keep_secret = keep_secret
        self.port = stack.ports.gateway_1
        self.host = f"{HOST}:{self.port}"

    def line(self, **more: Any) -> AbstractAsyncContextManager[Line]:
        """A connection."""
        return line(HOST, self.port, self.address, **more)

    async def token(self) -> str:
        """A good token, of a user that nobody else is."""
        return self.keep_secret(await self.stack.token())

    async def http(self, request: str | bytes) -> str:
        """What comes of a request: see `Answer.words`; "ended" without an answer. `{host}` is the gateway's own."""
        try:
            return (await self.answer(request)).words
        except EOFError:
            return "ended"

    async def answer(self, request: str | bytes) -> Answer:
        """The answer to a request."""
        async with self.line() as connection:
            connection.send(request.replace("{host}", self.host) if isinstance(request, str) else request)
            return await connection.answer()

    async def ask(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Answer:
        """The answer of the API; `body` is JSON, unless it is bytes."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(data)}\r\n"
        head += "" if token is None else f"Authorization: Bearer {token}\r\n"
        return await self.answer(f"{head}\r\n".encode(errors="surrogateescape") + data)

    @asynccontextmanager
    async def shaken(self, *, sid: str = "", more: str = "", **line_options: Any) -> AsyncIterator[Socket]:
        """A WebSocket that nobody is let in on; of the session `sid`, if there is one. Its OPEN packet was read."""
        async with self.line(**line_options) as connection:
            target = f"{PATH}websocket{sid and '&sid='}{sid}"
            connection.send(HANDSHAKE.format(target=target, host=self.host, more=more))
            if (answer := await connection.answer()).status != 101:
                raise AssertionError(answer)
            if not sid:
                _, hello = await connection.frame()
                sid = self.keep_secret(json.loads(hello[1:])["sid"])
            yield Socket(connection, sid)

    @asynccontextmanager
    async def socket(self, *, token: str | None = None, **options: Any) -> AsyncIterator[Socket]:
        """A WebSocket whose user was let in."""
        auth = json.dumps({"token": token or await self.token()})
        async with self.shaken(**options) as shaken:
            shaken.send(f"40{auth}")
            await shaken.hears("session")
            yield shaken

    @asynccontextmanager
    async def member(self, room: str, **options: Any) -> AsyncIterator[Socket]:
        """A socket that has joined `room`."""
        async with self.socket(**options) as joined:
            ack = await joined.call("join", {"room": room})
            if not ack["ok"]:
                raise AssertionError(ack)
            yield joined


def request(method: str, target: str, *headers: str, body: str = "") -> str:
    """A whole request for a gateway; a body brings its length with it."""
    length = [f"Content-Length: {len(body.encode())}"] if body or method == "POST" else []
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: {host}", *length, *headers, "", body])
