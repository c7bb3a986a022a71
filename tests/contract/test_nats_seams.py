"""The seams of nats-py that the bus relies on.

The library does not promise them. When one of these tests fails after an upgrade, nothing is wrong with the test:
read what changed there, then `runtime/nats_client.py`, `nats_parser.py`, `nats_reading.py`, `listening.py` and
`nats_service.py`, and then move the version here.
"""

import asyncio
import inspect
import re
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.micro.service import Endpoint, Service
from nats.protocol.parser import Parser as LibraryParser

from runtime.listening import Listening
from runtime.nats_client import NatsClient
from runtime.nats_parser import Parser
from wire import headers

ROOT: Final = Path(__file__).parents[2]
READ_ON: Final = "2.16.0"
TRACEPARENT: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REREAD: Final = (
    "the seams were read on nats-py {read}, and this is {found}. Read its changes, then these: Client._process_msg, "
    "_process_headers, _process_pong, _process_connect_init, _read_loop, _flusher, _flush_pending, _send_command, "
    "_attempt_reconnect, _close, drain, connect, _connect_command; Client._public_nkey, _server_info, "
    "_current_server, _subs, _sid, _pending, _pending_data_size, _flush_queue, _transport, _pongs; "
    "Parser.parse, reset, buf; TcpTransport._io_writer, _io_reader; Service.stop, _endpoints, "
    "Endpoint._stop, _subscription. Then move READ_ON."
)


def test_the_locked_version_is_the_one_that_was_read() -> None:
    """Nobody upgrades past the seams without having read them again; what is installed is what is locked."""
    lock = (ROOT / "requirements" / "services.txt").read_text()
    locked = re.findall(r"^nats-py==(\S+)", lock, re.MULTILINE)
    assert locked == [READ_ON], REREAD.format(read=READ_ON, found=locked)
    assert version("nats-py") == READ_ON, REREAD.format(read=READ_ON, found=version("nats-py"))


@pytest.mark.parametrize(
    ("library", "ours", "name", "parameters"),
    [
        (Client, NatsClient, "_process_msg", ["self", "sid", "subject", "reply", "data", "headers"]),
        (Client, NatsClient, "_process_headers", ["self", "headers"]),
        (Client, NatsClient, "_process_pong", ["self"]),
        (Client, NatsClient, "_process_connect_init", ["self"]),
        (Client, NatsClient, "_read_loop", ["self"]),
        (Client, NatsClient, "drain", ["self"]),
        (LibraryParser, Parser, "parse", ["self", "data"]),
    ],
)
def test_what_is_overridden_is_there_to_override(library: type, ours: type, name: str, parameters: list[str]) -> None:
    """Each is a coroutine function of the library with the parameters of ours: an override of nothing is dead."""
    for owner in (library, ours):
        assert name in vars(owner)
        assert inspect.iscoroutinefunction(vars(owner)[name])
        assert list(inspect.signature(vars(owner)[name]).parameters) == parameters


@pytest.mark.parametrize(
    "block",
    [
        headers.traced(TRACEPARENT),
        headers.traced(TRACEPARENT).replace(b": ", b":"),
        headers.traced(TRACEPARENT.upper()),
        headers.traced(f"{TRACEPARENT}-more"),
        headers.traced(""),
        headers.identified("m", TRACEPARENT),
        b"NATS/1.0 503\r\n\r\n",
        b"NATS/1.0\r\ntraceparent: \xff\r\n\r\n",
        b"",
    ],
)
async def test_headers_are_read_as_the_library_reads_them(block: bytes) -> None:
    """Ours is a short way to the same."""
    theirs = Client()
    assert await NatsClient(lambda _: None)._process_headers(block) == await theirs._process_headers(block)


def test_the_parser_is_reset_and_fed_where_ours_is() -> None:
    """The client makes it under the name that ours takes, and the read loop calls just these two of it."""
    assert type(Client()._ps) is LibraryParser
    used = set(re.findall(r"self\._ps\.(\w+)", inspect.getsource(Client)))
    assert used == {"parse", "reset"}
    assert list(inspect.signature(LibraryParser.reset).parameters) == ["self"]
    assert LibraryParser().buf == b""


@pytest.mark.parametrize("name", ["_attempt_reconnect", "_close"])
def test_the_stand_in_has_what_the_library_reads_of_a_subscription(name: str) -> None:
    """Whatever it touches on a reconnect and on closing; and its values are those of a plain subscription."""
    touched = set(re.findall(r"\bsub\.(\w+)", inspect.getsource(getattr(Client, name))))
    assert len(touched) >= 3
    listening = Listening(NatsClient.__new__(NatsClient), 1, "s", lambda _: None)
    plain = {"_queue": "", "_max_msgs": 0, "_received": 0, "_wait_for_msgs_task": None, "_message_iterator": None}
    for each in touched:
        assert hasattr(listening, each), f"nats-py now reads Subscription.{each} in {name}"
    for attribute, value in plain.items():
        assert getattr(listening, attribute) == value
    assert not hasattr(listening, "__dict__")


def test_nothing_else_walks_the_subscriptions() -> None:
    """Those who do were read: reconnect, close, drain (which finds none of ours), and the dispatch by sid."""
    users = {
        name
        for name, member in vars(Client).items()
        if inspect.isfunction(member) and "self._subs" in inspect.getsource(member)
    }
    known = {"__init__", "_attempt_reconnect", "_close", "_process_msg", "_remove_sub", "drain", "subscribe"}
    assert users == known
    assert "_pending_queue" in inspect.getsource(Subscription.__init__), "is a queue each still what it costs?"


def test_a_service_that_stops_drops_what_has_come_so_ours_drains_it_first() -> None:
    """It unsubscribes its endpoints, whose list and whose subscriptions are where ours takes them from."""
    assert "for endpoint in self._endpoints:" in inspect.getsource(Service.stop)
    assert "await self._subscription.unsubscribe()" in inspect.getsource(Endpoint._stop)
    assert "await self._pending_queue.join()" in inspect.getsource(Subscription._drain)


async def test_what_waits_to_be_sent_is_where_ours_puts_it() -> None:
    """A list of commands and its size, taken whole by the flusher; a transport whose writer tells what it holds."""
    client: Any = Client()
    assert (client._pending, client._pending_data_size, client._flush_queue, client._sid) == ([], 0, None, 0)
    assert (client._pongs, client._pings_outstanding, client._reading_task) == ([], 0, None)
    flusher = inspect.getsource(Client._flusher)
    assert "self._transport.writelines(self._pending[:])" in flusher
    assert "await self._flush_queue.get()" in flusher
    assert "self._io_writer" in inspect.getsource(TcpTransport.write)


async def test_there_is_a_stream_to_stand_before() -> None:
    """The read loop reads a plain asyncio stream, which ours finds by its transport, and whose buffer it sees."""
    assert "self._io_reader.read(buffer_size)" in inspect.getsource(TcpTransport.read)
    assert "await self._transport.read(" in inspect.getsource(Client._read_loop)
    assert "self._transport.at_eof()" in inspect.getsource(Client._read_loop)
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours)
        assert type(writer.transport.get_protocol()) is asyncio.StreamReaderProtocol
        theirs.sendall(b"PONG\r\n+OK")
        assert await reader.readline() == b"PONG\r\n"
        assert bytes(reader._buffer) == b"+OK"  # type: ignore[attr-defined]
        writer.close()


def test_who_we_are_is_set_where_the_library_reads_it() -> None:
    """`connect` leaves it alone unless it is given a seed, and CONNECT says it beside the signature."""
    assert "_public_nkey" not in inspect.getsource(Client.connect)
    read = inspect.getsource(Client._connect_command)
    assert list(inspect.signature(Client._connect_command).parameters) == ["self"]
    assert 'options["nkey"] = self._public_nkey' in read
    assert 'sig = self._signature_cb(self._server_info["nonce"])' in read


def test_what_the_client_would_send_is_made_once_it_knows_whether_there_is_tls() -> None:
    """CONNECT, which holds the signature, is made after the server said what it wants and TLS was begun."""
    source = inspect.getsource(Client._process_connect_init)
    assert source.index('["tls_required"]') < source.rindex("connect_tls(") < source.index("self._connect_command()")
