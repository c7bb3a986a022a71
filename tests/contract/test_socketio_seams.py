"""What the edge relies on in python-socketio, python-engineio, aiohttp and uvloop, and none of them promises.

When one of these tests fails after an upgrade, nothing is wrong with the test: read what changed there, then the
modules of `services/gateway/edge` that the failure names, and then move the versions here.
"""

import asyncio
import gc
import inspect
import re
import socket
import weakref
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import engineio
import pytest
import socketio
import uvloop
from aiohttp import WSMsgType, web, web_protocol
from aiohttp._websocket import reader as aiohttp_reader
from aiohttp.http_websocket import WebSocketError
from engineio import packet as engineio_packet
from engineio.payload import Payload
from socketio.packet import Packet

from services.gateway.edge import handshake, packet, parser
from services.gateway.edge.engine import Engine
from services.gateway.edge.limits import Limits
from services.gateway.edge.manager import Manager
from services.gateway.edge.polling import PACKETS_A_POLL
from services.gateway.edge.server import Server
from services.gateway.edge.session import Reason, Session
from services.gateway.edge.websocket import Shared, WebSocket
from tests.conformance import server
from tests.conformance.raw import BINARY, PING, TEXT, Endpoint, frame
from tests.conformance.raw import WebSocket as RawWebSocket
from tests.conformance.serving import Serving
from tests.support.waiting import until

LOCK: Final = Path(__file__).parents[2] / "requirements" / "services.txt"
READ_ON: Final = {
    "python-socketio": (
        "5.18.1",
        "AsyncServer and BaseServer, BaseManager, AsyncManager, Packet; edge/server.py, manager.py and packet.py",
    ),
    "python-engineio": (
        "4.15.1",
        "AsyncServer._trigger_event, BaseServer.__init__ and .generate_id, Packet.encode, Payload; edge/engine.py",
    ),
    "aiohttp": (
        "3.14.5",
        "web_protocol.RequestHandler, _websocket/reader_py.py and .pxd; edge/handshake.py, parser.py and its tests",
    ),
    "uvloop": ("0.23.0", "handles/stream.pyx and basetransport.pyx; edge/websocket.py and backlog.py"),
}


@pytest.mark.parametrize("name", READ_ON)
def test_the_locked_version_is_the_one_that_was_read(name: str) -> None:
    """Nobody upgrades past the seams without having read them again; what is installed is what is locked."""
    read, what = READ_ON[name]
    locked = re.findall(rf"^{name}==(\S+)", LOCK.read_text(), re.MULTILINE)
    for found in (*locked, version(name)):
        assert found == read, f"the seams were read on {name} {read}, this is {found}. Read again: {what}"
    assert len(locked) == 1


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)


# --- python-socketio ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_handle_eio_connect", ["self", "eio_sid", "environ"]),
        ("_handle_eio_disconnect", ["self", "eio_sid", "reason"]),
        ("_handle_connect", ["self", "eio_sid", "namespace", "data"]),
        ("_handle_disconnect", ["self", "eio_sid", "namespace", "reason"]),
        ("disconnect", ["self", "sid", "namespace", "ignore_queue"]),
        ("shutdown", ["self"]),
        ("_engineio_server_class", ["self"]),
    ],
)
def test_what_the_server_overrides_is_there_to_override(name: str, expected: list[str]) -> None:
    """An override of nothing is dead, and one with other parameters is called wrongly."""
    for owner in (socketio.AsyncServer, Server):
        assert name in vars(owner), f"{owner} has no {name} any more: read edge/server.py"
        assert parameters(vars(owner)[name]) == expected, f"{owner}.{name} is called otherwise: read edge/server.py"
    stock, ours = vars(socketio.AsyncServer)[name], vars(Server)[name]
    assert inspect.iscoroutinefunction(stock) == inspect.iscoroutinefunction(ours)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_handle_eio_message", ["self", "eio_sid", "data"]),
        ("_send_packet", ["self", "eio_sid", "pkt"]),
        ("_trigger_event", ["self", "event", "namespace", "args"]),
    ],
)
def test_what_the_server_calls_is_there_to_call(name: str, expected: list[str]) -> None:
    """As it is called."""
    assert parameters(getattr(socketio.AsyncServer, name)) == expected, f"{name} is called otherwise: read edge/"


OVERRIDDEN: Final = sorted(set(vars(Manager)) & (set(vars(socketio.AsyncManager)) | set(dir(socketio.AsyncManager))))


@pytest.mark.parametrize("name", [each for each in OVERRIDDEN if not each.startswith("__")])
def test_the_manager_answers_as_the_stock_one(name: str) -> None:
    """The same parameters, and a coroutine where that one is; more keywords may be taken than are given."""
    stock, ours = inspect.getattr_static(socketio.AsyncManager, name), vars(Manager)[name]
    for found, expected in zip(parameters(ours), parameters(stock), strict=False):
        same = found == expected or {found, expected} <= {"kwargs", "_", "more"}
        assert same, f"AsyncManager.{name} is called otherwise: read edge/manager.py"
    assert len(parameters(ours)) == len(parameters(stock)), f"AsyncManager.{name} takes more: read edge/manager.py"
    assert inspect.iscoroutinefunction(stock) == inspect.iscoroutinefunction(ours)


def test_the_manager_overrides_all_that_knows_how_rooms_are_kept() -> None:
    """Whatever else of the stock manager looks into its tables would find another shape there."""
    public = {name for name, each in inspect.getmembers(socketio.AsyncManager, inspect.isfunction)}
    inherited = public - set(vars(Manager))
    assert inherited == {
        "__init__",
        "_generate_ack_id",
        "_get_logger",
        "basic_close_room",
        "can_disconnect",
        "close_room",
        "disconnect",
        "enter_room",
        "get_namespaces",
        "initialize",
        "leave_room",
        "set_server",
        "trigger_callback",
    }, "the stock manager has other methods: read them and edge/manager.py"
    for name in inherited - {"__init__"}:
        source = inspect.getsource(inspect.getattr_static(socketio.AsyncManager, name))
        assert "self.rooms[" not in source, f"{name} looks into the rooms: edge/manager.py has to override it"
        assert "pending_" not in source, f"{name} looks into pending clients: edge/manager.py has to override it"


async def test_the_packet_class_is_ours() -> None:
    """`serializer` may be a class; what the server makes of packets is then ours, and its checks are called."""
    ours = Server(limits=Limits())
    assert issubclass(ours.packet_class, Packet), "serializer takes no class any more: read edge/server.py"
    assert ours.packet_class is not Packet
    for name, expected in {
        "decode": ["self", "encoded_packet"],
        "add_attachment": ["self", "attachment"],
        "_reconstruct_binary_internal": ["data", "attachments"],
    }.items():
        for owner in (Packet, packet.checked(Limits())):
            assert name in vars(owner), f"{owner}.{name} is gone: read edge/packet.py"
            assert parameters(getattr(owner, name))[-1] == expected[-1], f"{name} is called otherwise: edge/packet.py"
    with pytest.raises(ValueError, match="malformed"):
        ours.packet_class(encoded_packet='2["disconnect"]')
    with pytest.raises(ValueError, match="too many"):
        ours.packet_class(encoded_packet='5999-["message"]')


def test_the_reasons_are_python_socketios() -> None:
    """Applications compare with them."""
    words = {name: each for name, each in vars(Reason).items() if name.isupper()}
    stock = socketio.AsyncServer.reason
    assert words == {
        "CLIENT": stock.CLIENT_DISCONNECT,
        "SERVER": stock.SERVER_DISCONNECT,
        "PING_TIMEOUT": stock.PING_TIMEOUT,
        "TRANSPORT_CLOSE": stock.TRANSPORT_CLOSE,
        "TRANSPORT_ERROR": stock.TRANSPORT_ERROR,
    }, "read edge/session.py"


# --- python-engineio ------------------------------------------------------------------------------------------------


async def test_the_engine_is_ours_and_python_socketio_listens_to_it() -> None:
    """Three handlers of the server's are all that it needs, found by name in `handlers`."""
    ours = Server(limits=Limits())
    assert type(ours.eio) is Engine, "_engineio_server_class is not asked any more: read edge/server.py"
    assert set(ours.eio.handlers) == {"connect", "message", "disconnect"}, "read edge/engine.py"
    for event in ("connect", "message", "disconnect"):
        handler = ours.eio.handlers[event]
        assert handler == getattr(ours, f"_handle_eio_{event}"), "read edge/engine.py"
        assert inspect.iscoroutinefunction(handler), "the engine awaits it: read edge/engine.py"


def test_what_the_engine_overrides_and_calls_is_there() -> None:
    """By these names and with these parameters does python-socketio call it."""
    for name, expected in {
        "attach": ["self", "app", "engineio_path"],
        "send_packet": ["self", "sid", "pkt"],
        "disconnect": ["self", "sid"],
        "shutdown": ["self"],
        "handle_request": None,
    }.items():
        for owner in (engineio.AsyncServer, Engine):
            assert name in vars(owner), f"{owner}.{name} is gone: read edge/engine.py"
            assert expected is None or parameters(vars(owner)[name]) == expected, f"{name}: read edge/engine.py"
    assert parameters(engineio.AsyncServer._trigger_event) == ["self", "event", "args", "kwargs"]
    assert parameters(engineio.AsyncServer.send) == ["self", "sid", "data"], "python-socketio sends by it"


async def test_an_event_of_the_engine_is_handled_before_it_returns() -> None:
    """`run_async=False`: the caller awaits the handler, and hears what it raises only in the log."""
    ours = Engine(limits=Limits(), transports=("websocket",), allowed_origins=(), on_packet=None)
    told: list[tuple[Any, ...]] = []

    async def handler(*args: Any) -> None:
        told.append(args)
        raise RuntimeError

    ours.on("disconnect", handler)
    await ours._trigger_event("disconnect", "sid", "reason", run_async=False)
    assert told == [("sid", "reason")], "read AsyncServer._trigger_event and edge/engine.py"


async def test_what_is_stored_with_a_session_is_found_through_the_engine() -> None:
    """`get_session` and `save_session` look for `session` at what is in `sockets`."""

    class Transport:
        name = "websocket"
        unsent = 0
        write = close = abort = pause_reading = resume_reading = lambda *_: None

    ours = Engine(limits=Limits(), transports=("websocket",), allowed_origins=(), on_packet=None)
    ours.sockets["sid"] = Session(ours, "sid", Transport())
    await ours.save_session("sid", {"a": 1})
    assert await ours.get_session("sid") == {"a": 1}
    assert ours.transport("sid") == "websocket"


def test_packets_are_encoded_as_the_frames_want_it() -> None:
    """Text with its type, and binary as it is; the numbers of the types are the protocol's."""
    assert engineio_packet.Packet(engineio_packet.MESSAGE, data='2["message",{}]').encode() == '42["message",{}]'
    assert engineio_packet.Packet(engineio_packet.MESSAGE, data=b"\x01").encode() == b"\x01", "read edge/frames.py"
    assert (engineio_packet.CLOSE, engineio_packet.MESSAGE, engineio_packet.NOOP) == (1, 4, 6)


def test_a_payload_is_what_the_python_client_takes() -> None:
    """It refuses more packets than this at once."""
    assert Payload.max_decode_packets == PACKETS_A_POLL, "read edge/polling.py"


# --- aiohttp --------------------------------------------------------------------------------------------------------


def test_the_request_handler_is_taken_leave_of_as_before() -> None:
    """What `handshake.take_over` touches: the transport, the tail, and what is done when a connection is lost."""
    handler = web_protocol.RequestHandler
    for name in ("transport", "_message_tail"):
        owners = [each for each in handler.__mro__ if name in getattr(each, "__slots__", ())]
        assert owners, f"RequestHandler.{name} is no slot any more: read edge/handshake.py"
    for name in ("force_close", "connection_lost"):
        assert parameters(getattr(handler, name))[0] == "self"
    source = inspect.getsource(handler.connection_lost)
    assert "self.force_close()" in source, "read RequestHandler.connection_lost and edge/handshake.py"
    assert "if self.transport is not None" in inspect.getsource(handler.force_close), (
        "without its transport it closes nothing: read edge/handshake.py"
    )


class Remembering:
    """`take_over`, which keeps weak references to what it takes the socket from."""

    def __init__(self) -> None:
        self.taken: list[tuple[weakref.ref[Any], weakref.ref[Any]]] = []
        self.early: list[bytes] = []
        self._original = handshake.take_over

    def __call__(self, request: web.Request, *more: Any) -> tuple[WebSocket, bytes]:
        """See `handshake`."""
        task = asyncio.current_task()
        assert task is not None
        self.taken.append((weakref.ref(request), weakref.ref(task)))
        websocket, early = self._original(request, *more)
        self.early.append(early)
        return websocket, early


@pytest.fixture
def remembering(monkeypatch: pytest.MonkeyPatch) -> Remembering:
    """In the place of the original."""
    spy = Remembering()
    monkeypatch.setattr(handshake, "take_over", spy)
    return spy


@pytest.fixture
def serving() -> Iterator[Serving]:
    """An echo, on uvloop."""
    with Serving(lambda: server.application(("engine.io", server.engineio(Limits())))) as each:
        yield each


def kinds_alive() -> dict[str, int]:
    """How many objects there are of what an idle connection must not keep."""
    gc.collect()
    names = ("RequestHandler", "Request", "HttpRequestParser", "StreamWriter", "WebSocketResponse", "AccessLogger")
    counts = dict.fromkeys(names, 0)
    for each in gc.get_objects():
        name = type(each).__name__
        if name in counts and type(each).__module__.startswith("aiohttp"):
            counts[name] += 1
    return counts


def test_a_socket_that_was_taken_over_leaves_nothing_of_aiohttp_behind(
    serving: Serving, remembering: Remembering
) -> None:
    """Handler, request, parser and task are freed; the connection lives, and hears and is heard."""
    before = kinds_alive()
    opened = [Endpoint(serving.port).open_websocket()[0] for _ in range(5)]
    for each in opened:
        each.send_text("4x")
        assert each.packet() == "4x"
    serving.call(gc.collect)
    alive = kinds_alive()
    assert all(alive[name] <= before[name] for name in before), (
        "something of aiohttp lives as long as the connection: read edge/handshake.py"
    )
    assert [ref() for pair in remembering.taken for ref in pair] == [None] * 10
    serving.call(gc.collect)
    for each in opened:
        each.send_text("4y")
        assert each.packet() == "4y"
        each.socket.close()


def test_what_comes_with_the_request_is_in_its_tail(serving: Serving, remembering: Remembering) -> None:
    """And nowhere else; nothing more is read into it afterwards."""
    raw = server_websocket(serving, frame(TEXT, b"4early"))
    with raw:
        assert str(raw.packet()).startswith("0{")
        assert raw.packet() == "4early"
        raw.send_text("4late")
        assert raw.packet() == "4late"
    assert remembering.early == [frame(TEXT, b"4early")], "read RequestHandler.data_received and edge/handshake.py"


def server_websocket(serving: Serving, tail: bytes) -> RawWebSocket:
    """A WebSocket whose client does not wait for the handshake."""
    endpoint = Endpoint(serving.port)
    return RawWebSocket(serving.port, endpoint.target(transport="websocket"), tail=tail)


def test_the_reader_is_the_compiled_one() -> None:
    """In plain Python a frame costs several times as much."""
    for each in (aiohttp_reader.WebSocketReader, aiohttp_reader.WebSocketDataQueue):
        assert each.__module__ == "aiohttp._websocket.reader_c", "aiohttp without its C code: is there no wheel?"
    assert vars(parser)["WebSocketReader"] is aiohttp_reader.WebSocketReader
    assert issubclass(parser.FrameParser, aiohttp_reader.WebSocketDataQueue)


class Queue(aiohttp_reader.WebSocketDataQueue):  # type: ignore[misc,unused-ignore]
    """A queue without the base class's `__init__`, as `parser.FrameParser` is."""

    def __init__(self) -> None:
        self.fed: list[tuple[Any, int]] = []
        self.errors: list[BaseException] = []

    def feed_data(self, data: Any, size: int) -> None:
        """See the base class."""
        self.fed.append((data, size))

    def set_exception(self, exc: BaseException, *_: object) -> None:
        """See the base class."""
        self.errors.append(exc)


def test_a_queue_of_ours_is_fed_by_the_compiled_reader() -> None:
    """Its `feed_data` and `set_exception` are called for each message and error, and it never counts as full."""
    queue = Queue()
    reader = aiohttp_reader.WebSocketReader(queue, 101, compress=False, decode_text=True)
    why = "read aiohttp's reader and edge/parser.py"
    for _ in range(2000):
        reader.feed_data(frame(BINARY, b"x" * 100))
    assert len(queue.fed) == 2000, f"the reader stalls: {why}"
    reader.feed_data(frame(TEXT, b"t") + frame(PING, b"p"))
    messages = [(each[0][0], each[0][1]) for each in queue.fed[-3:]]
    assert messages == [(WSMsgType.BINARY, b"x" * 100), (WSMsgType.TEXT, "t"), (WSMsgType.PING, b"p")], why
    reader.feed_data(frame(BINARY, b"x" * 101))
    (error,) = queue.errors
    assert isinstance(error, WebSocketError), why
    assert error.code == 1009, f"its limit is exclusive: {why}"


def test_the_reader_keeps_nothing_of_a_whole_frame() -> None:
    """That is what lets connections share one; tests/conformance/test_shared_parser.py tries to break it."""
    queue = Queue()
    reader = aiohttp_reader.WebSocketReader(queue, 101, compress=False, decode_text=True)
    for data in (frame(TEXT, b"a"), frame(BINARY, b""), frame(PING, b"p"), frame(TEXT, b"b")):
        assert parser.is_one_whole_frame(data)
        reader.feed_data(data)
    assert [each[0][1] for each in queue.fed] == ["a", b"", b"p", "b"]


# --- uvloop ---------------------------------------------------------------------------------------------------------


class Told(asyncio.Protocol):
    """Writes down when it is to pause, and what it was sent."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.data: list[bytes] = []

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.told.append("pause")

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self.told.append("resume")

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.data.append(data)


async def connected() -> tuple[asyncio.Transport, Told, socket.socket]:
    """A transport and its protocol, and the other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, told = await asyncio.get_running_loop().create_connection(Told, sock=ours)
    transport.set_write_buffer_limits(high=0)
    return transport, told, theirs


def test_a_write_goes_out_at_once() -> None:
    """While nothing waits it is in the socket's buffer when `write` returns, and nobody is told to pause."""

    async def check() -> None:
        transport, told, theirs = await connected()
        with theirs:
            for number in range(3):
                transport.write(b"frame %d" % number)
                assert theirs.recv(100) == b"frame %d" % number, "uvloop writes later: read edge/websocket.py"
                assert transport.get_write_buffer_size() == 0
            assert told.told == []
            transport.abort()

    uvloop.run(check())


def test_who_falls_behind_is_told_as_soon_as_anything_waits() -> None:
    """With `high=0`, at the first byte, within `write`; and to go on once nothing waits."""

    async def check() -> None:
        transport, told, theirs = await connected()
        with theirs:
            while not transport.get_write_buffer_size():
                assert told.told == []
                transport.write(b"x" * 65536)
            assert told.told == ["pause"], "read uvloop's write and edge/backlog.py"
            waiting = transport.get_write_buffer_size()
            transport.write(b"y" * 10)
            assert transport.get_write_buffer_size() == waiting + 10, "what waits is not counted as it was"
            assert told.told == ["pause"]
            async with asyncio.timeout(10):
                while "resume" not in told.told:
                    try:
                        theirs.recv(1 << 20)
                    except BlockingIOError:
                        await asyncio.sleep(0)
            assert told.told == ["pause", "resume"]
            assert transport.get_write_buffer_size() == 0
            transport.abort()

    uvloop.run(check())


def test_another_protocol_may_take_over_a_transport() -> None:
    """From `set_protocol` on it gets what comes, and the end; reading may be paused and resumed twice over."""

    async def check() -> None:
        transport, first, theirs = await connected()
        with theirs:
            second = Told()
            transport.set_protocol(second)
            theirs.send(b"hello")
            await until(lambda: len(second.data) == 1, "what was sent")
            transport.pause_reading()
            transport.pause_reading()
            transport.resume_reading()
            transport.resume_reading()
            theirs.send(b"again")
            await until(lambda: len(second.data) == 2, "the rest")
            assert (first.data, second.data) == ([], [b"hello", b"again"]), "read edge/handshake.py"
            transport.abort()

    uvloop.run(check())


def test_a_websocket_is_a_few_objects() -> None:
    """The protocol, its session and the transport have slots: a dictionary each would be a third of a connection."""
    for each in (WebSocket, Session):
        assert not hasattr(each(*made_for(each)), "__dict__"), f"{each} has a dictionary"


def made_for(kind: type) -> tuple[Any, ...]:
    """What an object of this kind is made from."""

    class Stream:
        write = staticmethod(bytes)

        def set_write_buffer_limits(self, *, high: int) -> None:
            assert high == 0

    if kind is Session:
        return None, "sid", WebSocket(*made_for(WebSocket))
    shared = Shared.__new__(Shared)
    return shared, Stream()
