"""What the edge relies on in aiohttp, and nobody promises: see `test_versions`."""

import asyncio
import gc
import inspect
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web, web_protocol
from aiohttp._websocket import reader as aiohttp_reader
from aiohttp.http_websocket import WebSocketError

from services.gateway.edge import handshake, parser
from services.gateway.edge.limits import Limits
from services.gateway.edge.websocket import WebSocket
from tests.conformance import server
from tests.conformance.raw import BINARY, PING, TEXT, Endpoint, frame
from tests.conformance.raw import WebSocket as RawWebSocket
from tests.conformance.serving import Serving
from tests.contract.signatures import parameters


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
