"""Our parser of NATS's protocol, beside nats-py's own: the same bytes mean the same, however they arrive."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.errors import ProtocolError
from nats.protocol.parser import Parser as LibraryParser

from runtime.listening import Delivery, Listening
from runtime.nats_parser import Parser
from runtime.nats_reading import Reading

_OURS, _THEIRS = 1, 2


class _Client:
    """Stands for the client: writes down what it is told."""

    def __init__(self, *, raising: bool = False) -> None:
        self._subs = {_OURS: Listening(self, _OURS, "s", self._on_message), _THEIRS: object()}
        self.told: list[Any] = []
        self.raising = raising

    def _on_message(self, delivery: Delivery) -> None:
        self.told.append((_OURS, delivery.subject, delivery.data, delivery.headers))
        if self.raising:
            raise RuntimeError("a defect")

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        told = (sid, subject, data, headers or b"")
        self.told.append(told if sid == _OURS else (*told, reply))

    async def _process_ping(self) -> None:
        self.told.append("ping")

    async def _process_pong(self) -> None:
        self.told.append("pong")

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.told.append(info)

    async def _process_err(self, message: str) -> None:
        self.told.append(message)

    def failed(self, error: Exception) -> None:
        self.told.append(type(error))

    def forget(self, sid: int) -> None:
        del self._subs[sid]


class _Patient(_Client):
    """Takes a turn of the loop for whatever it can."""

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        await asyncio.sleep(0)
        await super()._process_msg(sid, subject, reply, data, headers)

    async def _process_ping(self) -> None:
        await asyncio.sleep(0)
        await super()._process_ping()


def _message(subject: bytes, sid: int, reply: bytes, headers: bytes, data: bytes) -> bytes:
    reply = reply and reply + b" "
    if not headers:
        return b"MSG %b %d %b%d\r\n%b\r\n" % (subject, sid, reply, len(data), data)
    size = len(headers) + len(data)
    return b"HMSG %b %d %b%d %d\r\n%b%b\r\n" % (subject, sid, reply, len(headers), size, headers, data)


_messages = st.builds(
    _message,
    st.sampled_from([b"a", b"live.room.r.message", b"\xff\xfe"]),
    st.sampled_from([_OURS, _THEIRS, 99]),
    st.sampled_from([b"", b"_INBOX.x.1"]),
    st.sampled_from([b"", b"NATS/1.0\r\nA: b\r\n\r\n", b"NATS/1.0 503\r\n\r\n"]),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"MSG a 1 1\r\nx\r\n", b"\r\n", b"PING\r\n"])),
)
_controls = st.sampled_from([b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'Oh No'\r\n", b'INFO {"a":1}\r\n'])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.one_of(_messages, _controls), max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=20))
async def test_it_understands_what_the_library_understands(parts: list[bytes], cuts: list[int]) -> None:
    """Messages and control lines, in order, wherever the network cuts them."""
    stream = b"".join(parts)
    ours, theirs = _Client(), _Client()
    parser = Parser(ours)
    at, turn = 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        await parser.parse(stream[at : at + size])
        at, turn = at + size, turn + 1
    await LibraryParser(theirs).parse(stream)
    assert ours.told == theirs.told
    assert parser._rest == b""


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.one_of(_messages, _controls), max_size=8),
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
    st.lists(st.booleans(), min_size=1, max_size=7),
    st.integers(0, 40),
)
async def test_order_is_kept_between_what_is_fed_and_what_is_awaited(
    parts: list[bytes], cuts: list[int], turns: list[bool], buffered: int
) -> None:
    """Messages below the stream, the rest by the read loop, however their turns alternate."""
    stream = b"".join(parts)
    ours, theirs = _Patient(), _Client()
    parser, reader = Parser(ours), asyncio.StreamReader(limit=64)
    protocol = asyncio.StreamReaderProtocol(reader)
    protocol.data_received(stream[:buffered])
    reading = Reading(parser, protocol, buffered=min(buffered, len(stream)))

    async def read_loop() -> None:
        while data := await reader.read(20):
            await parser.parse(data)

    loop = asyncio.create_task(read_loop())
    at, turn = buffered, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        reading.data_received(stream[at : at + size])
        if turns[turn % len(turns)]:
            await asyncio.sleep(0)
        at, turn = at + size, turn + 1
    reading.eof_received()
    await loop
    await LibraryParser(theirs).parse(stream)
    assert ours.told == theirs.told
    assert parser.unparsed == 0
    assert parser._rest == b""


async def test_messages_are_delivered_in_the_turn_in_which_they_are_read() -> None:
    """Neither does a message cost a turn of the loop, nor do those behind a command wait longer than for it."""
    client = _Client()
    parser, reader = Parser(client), asyncio.StreamReader()
    reading = Reading(parser, asyncio.StreamReaderProtocol(reader), buffered=0)
    message = _message(b"a", _OURS, b"", b"", b"1")
    reading.data_received(message)
    assert client.told == [(1, b"a", b"1", b"")]
    reading.data_received(b"PING\r\n" + message)
    reading.data_received(message)
    assert len(client.told) == 1
    await parser.parse(await reader.read(1000))
    assert client.told[1:] == ["ping", (1, b"a", b"1", b""), (1, b"a", b"1", b"")]
    reading.data_received(message)
    assert len(client.told) == 5


async def test_what_a_connection_says_after_the_next_has_begun_is_dropped() -> None:
    """Half a message of the one must not become one with half a message of the other."""
    client = _Client()
    parser = Parser(client)
    before = Reading(parser, asyncio.StreamReaderProtocol(asyncio.StreamReader()), buffered=0)
    before.data_received(b"MSG a 1 5\r\nha")
    parser.reset()
    now = Reading(parser, asyncio.StreamReaderProtocol(asyncio.StreamReader()), buffered=0)
    before.data_received(b"llo\r\n")
    now.data_received(_message(b"a", _OURS, b"", b"", b"1"))
    assert client.told == [(1, b"a", b"1", b"")]


async def test_an_exception_of_a_callback_is_told_and_the_next_message_comes() -> None:
    """Nothing of ours ends the read loop."""
    client = _Client(raising=True)
    await Parser(client).parse(_message(b"a", _OURS, b"", b"", b"1") + _message(b"a", _OURS, b"", b"", b"2"))
    assert client.told == [(1, b"a", b"1", b""), RuntimeError, (1, b"a", b"2", b""), RuntimeError]


@pytest.mark.parametrize(
    "garbage",
    [
        b"MSG\r\n",
        b"MSG a b 1\r\nx\r\n",
        b"HMSG a 1 x 2\r\n",
        b"MSG a 1 \r\n",
        b"MSG a 1 -15\r\n",
        b"HMSG a 1 5 2\r\n",
        b"WHAT\r\n",
        b"W" * 5000 + b"\r\n",
    ],
)
async def test_what_is_no_protocol_is_an_error(garbage: bytes) -> None:
    """The connection is given up for it, and made again."""
    with pytest.raises(ProtocolError):
        await Parser(_Client()).parse(garbage)


_garbage = st.lists(st.one_of(_messages, _controls, st.binary(max_size=12)), max_size=6).map(b"".join)


@settings(deadline=None, max_examples=300)
@given(_garbage, st.lists(st.integers(1, 30), min_size=1, max_size=8))
async def test_any_bytes_are_told_or_an_error(stream: bytes, cuts: list[int]) -> None:
    """However they are cut; what came before an error is told, and feeding never raises."""

    async def told_by(cuts: list[int]) -> list[Any]:
        client = _Client()
        parser = Parser(client)
        at, turn = 0, 0
        while at < len(stream):
            size = cuts[turn % len(cuts)]
            try:
                await parser.parse(stream[at : at + size])
            except ProtocolError:
                return [*client.told, "error"]
            at, turn = at + size, turn + 1
        return client.told

    assert await told_by(cuts) == await told_by([len(stream) or 1])


async def test_a_reset_amid_a_read_drops_the_rest() -> None:
    """What a connection that was given up still said is no part of the next one."""

    class Giving(_Client):
        async def _process_err(self, message: str) -> None:
            await super()._process_err(message)
            parser.reset()

    client = Giving()
    parser = Parser(client)
    await parser.parse(b"-ERR 'stale connection'\r\nPING\r\nMSG a 1 5\r\nhal")
    await parser.parse(b"PONG\r\n")
    assert client.told == ["'stale connection'", "pong"]


async def test_a_large_message_is_looked_at_when_it_is_there() -> None:
    """Not again with each piece of it: that would be quadratic."""
    client = _Client()
    parser = Parser(client)
    data = bytes(1 << 20)
    whole = _message(b"a", _OURS, b"", b"", data)
    for at in range(0, len(whole), 1 << 15):
        await parser.parse(whole[at : at + (1 << 15)])
        assert len(client.told) == (at + (1 << 15) >= len(whole))
    assert client.told == [(1, b"a", data, b"")]
