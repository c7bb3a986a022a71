"""Sessions on polling: bodies that are none, that hide something larger, or that come two at a time."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.abuse.rows import MIB, Row, Send, named
from tests.abuse.stranger import PATH, Stranger, request

_MOST: Final = 64 * 1024
_ONE: Final = '421["leave",{"room":"r"}]'
_SEPARATOR: Final = "\x1e"


class Polling:
    """A session of a stranger."""

    def __init__(self, stranger: Stranger, sid: str) -> None:
        self._stranger = stranger
        self.sid = sid
        self.target = f"{PATH}polling&sid={sid}"

    async def post(self, body: str | bytes, *headers: str) -> str:
        """Send packets; the words of the answer."""
        data = body.encode(errors="surrogateescape") if isinstance(body, str) else body
        head = "\r\n".join(
            [f"POST {self.target} HTTP/1.1", "Host: x", f"Content-Length: {len(data)}", *headers, "", ""]
        )
        return await self._stranger.http(head.encode() + data)

    async def poll(self) -> str:
        """The words of a poll's answer, and how many packets are in it."""
        try:
            answer = await self._stranger.answer(request("GET", self.target))
        except EOFError:
            return "ended"
        return answer.words if answer.status != 200 else f"200 with {len(answer.body.decode().split(_SEPARATOR))}"


@asynccontextmanager
async def polling(stranger: Stranger, *, connected: bool = True, token: str | None = None) -> AsyncIterator[Polling]:
    """A session whose user was let in; ended by its client at the end, if it still is."""
    hello = await stranger.answer(request("GET", f"{PATH}polling"))
    session = Polling(stranger, stranger.keep_secret(json.loads(hello.body[1:])["sid"]))
    if connected:
        await session.post("40" + json.dumps({"token": token or await stranger.token()}))
        await session.poll()
    yield session
    await session.post("1")


def _posts(body: str | bytes, *headers: str) -> Send:
    """Somebody who was let in posts a body, and then another one."""

    async def send(stranger: Stranger) -> str:
        async with polling(stranger) as session:
            return f"{await session.post(body, *headers)}, then {await session.post('6')}"

    return send


async def _polls_twice_at_a_time(stranger: Stranger) -> str:
    async with polling(stranger) as session:
        answers = await asyncio.gather(session.poll(), session.poll())
        return " and ".join(sorted(answers)) + f", then {await session.poll()}"


async def _posts_twice_at_a_time(stranger: Stranger) -> str:
    async with polling(stranger) as session, stranger.line() as slow:
        slow.send(f"POST {session.target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        await slow.until(b"100 Continue\r\n\r\n")
        return f"{await session.post('6')}, then {await session.post('6')}"


async def _chunks(stranger: Stranger) -> str:
    async with polling(stranger) as session:
        head = f"POST {session.target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        return f"{await stranger.http(head + '1' + chr(13) + chr(10) + '6' + chr(13) + chr(10) + '0')}"


async def _polls_after_its_end(stranger: Stranger) -> str:
    async with polling(stranger) as session:
        await session.post("1")
        return await session.poll()


async def _upgrades_without_a_probe(stranger: Stranger) -> str:
    async with polling(stranger) as session, stranger.shaken(sid=session.sid) as socket:
        socket.send("5")
        return f"{await socket.end()}, then {await session.post('6')}"


async def _upgrades_with_another_probe(stranger: Stranger) -> str:
    async with polling(stranger) as session, stranger.shaken(sid=session.sid) as socket:
        socket.send("2prove")
        return f"{await socket.end()}, then {await session.post('6')}"


def _bombs(data: bytes, encoding: str) -> Send:
    return _posts(data, f"Content-Encoding: {encoding}")


_OVER: Final = "400 3, then 400 1"
_TOO_LARGE: Final = "413 too_large, then 400 1"
_ZEROS: Final = b"4" * (64 * MIB)

ROWS: Final = [
    *named(
        {
            "an empty body": (_posts(""), _OVER),
            "a body that is no packet": (_posts("x"), _OVER),
            "a packet and then one that is none": (_posts(f"{_ONE}{_SEPARATOR}4[[["), _OVER),
            "separators alone": (_posts(_SEPARATOR * 60_000), _OVER),
            "a body that is no UTF-8": (_posts(b"42\xff"), _OVER),
            "a body in UTF-16": (_posts(_ONE.encode("utf-16")), _OVER),
            "base64 that is none": (_posts("b!!!"), _OVER),
            "base64 out of nowhere": (_posts("bAAAA"), _OVER),
            "a body of 64 KiB and one": (_posts("4" * (_MOST + 1)), _TOO_LARGE),
            "a body that says it is 2 GB": (_posts("", "Content-Length: 2000000000"), "400, then 200"),
            "a body in chunks": (_chunks, "411 invalid"),
            "what does not inflate": (_posts("nonsense", "Content-Encoding: deflate"), _OVER),
            "an encoding that nobody knows": (_posts("6", "Content-Encoding: pigeon"), "200, then 200"),
            "two polls at a time": (_polls_twice_at_a_time, "200 with 1 and 400 3, then 400 1"),
            "two bodies at a time": (_posts_twice_at_a_time, _OVER),
            "a poll after the end": (_polls_after_its_end, "400 1"),
            "an upgrade without a probe": (_upgrades_without_a_probe, "closed 1002, then 200"),
            "an upgrade with another probe": (_upgrades_with_another_probe, "closed 1002, then 200"),
        }
    ),
    Row("slow: two thousand packets in a body", _posts(_SEPARATOR.join(["6"] * 2_000)), "200, then 200", slow=True),
    Row("a bomb by deflate", _bombs(zlib.compress(_ZEROS), "deflate"), _TOO_LARGE),
    Row("a bomb by gzip", _bombs(gzip.compress(_ZEROS), "gzip"), _TOO_LARGE),
    Row("a bomb in a bomb", _bombs(gzip.compress(gzip.compress(_ZEROS)), "gzip"), _OVER),
]
