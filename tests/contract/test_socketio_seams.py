"""The seams of python-socketio and python-engineio that the gateway relies on.

Neither library promises them. When one of these tests fails after an upgrade, nothing is wrong with the test: read
what changed there, then `services/gateway/socketio_server.py` and `edge.py`, and then move the versions here.
"""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import engineio
import msgspec
import pytest
import pytest_asyncio
import socketio
from aiohttp import ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer
from engineio.async_drivers import aiohttp as engineio_aiohttp
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE, Packet
from engineio.payload import Payload

from services.gateway.connection import Connection
from services.gateway.edge import Edge
from services.gateway.engineio_socket import PACKETS_A_POLL, Socket
from services.gateway.settings import GatewaySettings
from services.gateway.socketio_server import Server, _Uncompressed
from tests.support.waiting import until
from wire.errors import ErrorCode, ParleyError
from wire.messages import User, Verified

ROOT: Final = Path(__file__).parents[2]
READ_ON: Final = {"python-socketio": "5.18.1", "python-engineio": "4.15.1"}
REREAD: Final = (
    "the seams were read on {name} {read}, and this is {found}. Read its changes, then these: AsyncServer."
    "_handle_eio_connect, _handle_eio_message, _handle_eio_disconnect, _handle_connect; eio._async; the check of "
    "cors_allowed_origins; AsyncSocket.queue, .closed, .poll, .close, .handle_post_request, ._websocket_handler, "
    ".upgrading, .upgraded; Payload.max_decode_packets; eio.reason; "
    "Packet.encode; manager.eio_sid_from_sid; eio.sockets; and what section 6 of the design says they "
    "must not do. Then move READ_ON."
)


@pytest.mark.parametrize("name", READ_ON)
def test_the_locked_version_is_the_one_that_was_read(name: str) -> None:
    """Nobody upgrades past the seams without having read them again; what is installed is what is locked."""
    lock = (ROOT / "requirements" / "services.txt").read_text()
    locked = re.findall(rf"^{name}==(\S+)", lock, re.MULTILINE)
    assert locked == [READ_ON[name]], REREAD.format(name=name, read=READ_ON[name], found=locked)
    assert version(name) == READ_ON[name], REREAD.format(name=name, read=READ_ON[name], found=version(name))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_handle_eio_connect", ["self", "eio_sid", "environ"]),
        ("_handle_eio_message", ["self", "eio_sid", "data"]),
        ("_handle_eio_disconnect", ["self", "eio_sid", "reason"]),
        ("_handle_connect", ["self", "eio_sid", "namespace", "data"]),
    ],
)
def test_what_is_overridden_is_there_to_override(name: str, parameters: list[str]) -> None:
    """Each is a coroutine function of the library with the parameters of ours: an override of nothing is dead."""
    for owner in (socketio.AsyncServer, Server):
        assert name in vars(owner)
        assert inspect.iscoroutinefunction(vars(owner)[name])
        assert list(inspect.signature(vars(owner)[name]).parameters) == parameters


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("poll", ["self"]),
        ("handle_post_request", ["self", "environ"]),
        ("_websocket_handler", ["self", "ws"]),
    ],
)
def test_what_the_socket_overrides_is_there_to_override(name: str, parameters: list[str]) -> None:
    """The same for python-engineio's socket; and a socket of its class can be given ours."""
    for owner in (AsyncSocket, Socket):
        assert name in vars(owner)
        assert list(inspect.signature(vars(owner)[name]).parameters) == parameters
    assert "__slots__" not in vars(Socket)
    assert Payload.max_decode_packets > PACKETS_A_POLL


def test_the_websocket_class_is_overridden_where_it_is_called() -> None:
    """Ours replaces the method that makes the response; the rest (send, wait, close) it inherits."""
    assert issubclass(_Uncompressed, engineio_aiohttp.WebSocket)
    for owner in (engineio_aiohttp.WebSocket, _Uncompressed):
        assert list(inspect.signature(vars(owner)["__call__"]).parameters) == ["self", "environ"]
    assert {"send", "wait", "close"} <= vars(engineio_aiohttp.WebSocket).keys()


def test_a_packet_is_encoded_once() -> None:
    """The fan-out hands one packet to a thousand queues: encoding it again returns the very same text."""
    packet = Packet(MESSAGE, data='2["message",{}]')
    first = packet.encode()
    assert first == '42["message",{}]'
    packet.data = "changed"
    assert packet.encode() is first
    assert packet.encode(b64=True) is first


async def test_a_socket_has_a_queue_and_knows_that_it_is_closed() -> None:
    """Frames go past `send` straight into `queue`, which takes any number at once; `closed` is a plain flag."""
    socket = AsyncSocket(engineio.AsyncServer(async_mode="aiohttp"), "sid")
    assert socket.closed is False
    assert isinstance(socket.queue, asyncio.Queue)
    assert socket.queue.maxsize == 0
    frames = [Packet(MESSAGE, data=str(number)) for number in range(3)]
    for each in frames:
        socket.queue.put_nowait(each)
    assert await socket.poll() == frames
    socket.queue.put_nowait(None)
    assert await socket.poll() == [], "None ends the writer, and the poll that waits"
    await socket.close(wait=False, abort=True)
    assert socket.closed is True


# --- the real thing -------------------------------------------------------------------------------------------------


class Recorded:
    """`socketio_server.Packets`, which writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.server = Server(self, transports=("polling", "websocket"), allowed_origins=())
        self.server.on("connect", self._on_connect)

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: object) -> None:
        self.told.append(("connect", (self.server.manager.eio_sid_from_sid(sid, "/"), type(environ), auth)))

    def opened(self, eio_sid: str) -> None:
        """See `Packets.opened`."""
        self.told.append(("opened", eio_sid))

    async def received(self, eio_sid: str, data: str | bytes) -> None:
        """See `Packets.received`."""
        self.told.append(("received", data))
        if isinstance(data, str) and data.startswith("0"):
            await self.server.handle_control(eio_sid, data)

    def greeted(self, eio_sid: str) -> None:
        """See `Packets.greeted`."""
        self.told.append(("greeted", eio_sid))


class Application:
    """`edge.Application` for users who say who they are."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.events: list[tuple[str, bytes]] = []

    async def authenticate(self, auth: object) -> Verified:
        """See `edge.Application`."""
        if not isinstance(auth, dict):
            raise ParleyError(ErrorCode.UNAUTHORIZED, "who are you?")
        return Verified(user=User(id=auth["token"], display_name="N"), session="s", expires_at=2**40)

    def connected(self, connection: Connection) -> None:
        """See `edge.Application`."""
        self.connections.append(connection)

    def disconnected(self, connection: Connection) -> None:
        """See `edge.Application`."""
        self.connections.remove(connection)

    def is_ordered(self, event: str) -> bool:
        """See `edge.Application`."""
        return event == "join"

    async def handle(self, connection: Connection, event: str, argument: msgspec.Raw) -> msgspec.Struct:
        """See `edge.Application`."""
        self.events.append((event, bytes(argument)))
        return connection.bearer.user


@asynccontextmanager
async def served(server: Server | Edge) -> AsyncIterator[TestClient[Any, Any]]:
    """An HTTP client of a real HTTP server that `server` is attached to."""
    app = web.Application()
    server.attach(app)
    async with TestClient(TestServer(app)) as http:
        yield http
        await (server.close() if isinstance(server, Edge) else server.shutdown())


async def opened(http: TestClient[Any, Any], **more: Any) -> ClientWebSocketResponse:
    """A WebSocket after its Engine.IO handshake."""
    websocket: ClientWebSocketResponse = await http.ws_connect("/socket.io/?EIO=4&transport=websocket", **more)
    assert (await text(websocket))[0] == "0"
    return websocket


async def text(websocket: ClientWebSocketResponse) -> str:
    """The next text that comes."""
    async with asyncio.timeout(20):
        return await websocket.receive_str()


@pytest_asyncio.fixture(loop_scope="session")
async def recorded() -> Recorded:
    """A server whose seams tell what passes through them."""
    return Recorded()


async def test_every_packet_passes_through_the_seams(recorded: Recorded) -> None:
    """In this order: opened, each packet as it came, the connect handler, greeted; none reaches a handler alone."""
    async with served(recorded.server) as http:
        websocket = await opened(http)
        await websocket.send_str('40{"token":"t"}')
        assert (await text(websocket)).startswith("40{")
        for packet in ('42["connect",{},{}]', '42["disconnect"]', "4", '451-["x",{"_placeholder":true,"num":0}]'):
            await websocket.send_str(packet)
        await websocket.send_bytes(b"attachment")
        await until(lambda: recorded.told[-1] == ("received", b"attachment"), "the last packet")
    (_, eio_sid), *rest = recorded.told
    assert recorded.told[0][0] == "opened"
    assert rest == [
        ("received", '0{"token":"t"}'),
        ("connect", (eio_sid, dict, {"token": "t"})),
        ("greeted", eio_sid),
        ("received", '2["connect",{},{}]'),
        ("received", '2["disconnect"]'),
        ("received", ""),
        ("received", '51-["x",{"_placeholder":true,"num":0}]'),
        ("received", b"attachment"),
    ]


async def test_packets_of_polling_pass_through_the_seams_too(recorded: Recorded) -> None:
    """Both transports end in the same place."""
    async with served(recorded.server) as http:
        async with http.get("/socket.io/?EIO=4&transport=polling") as response:
            eio_sid = json.loads((await response.text())[1:])["sid"]
        url = f"/socket.io/?EIO=4&transport=polling&sid={eio_sid}"
        async with http.post(url, data='42["connect"]\x1e4x') as response:
            assert response.status == 200
        await until(lambda: len(recorded.told) == 3, "both packets")
        assert recorded.told[0] == ("opened", eio_sid)
        # Each is handled in a task of its own.
        assert sorted(str(data) for _, data in recorded.told[1:]) == ['2["connect"]', "x"]


async def test_websockets_are_not_compressed(recorded: Recorded) -> None:
    """Ours is the class that is instantiated: a client that offers permessage-deflate does not get it."""
    async with served(recorded.server) as http:
        assert recorded.server.eio._async["websocket"] is _Uncompressed
        assert (await opened(http, compress=15)).compress == 0
    stock = Recorded()
    stock.server.eio._async = engineio_aiohttp._async
    async with served(stock.server) as http:
        assert (await opened(http, compress=15)).compress == 15, (
            "the library does not compress by itself: is the override needed?"
        )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://{host}"}, 200),
        ({"Origin": "https://listed.example"}, 200),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "http://listed.example"}, 400),
        ({"Origin": "https://listed.example.evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, 400),
        ({"Origin": "https://evil.example", "Forwarded": "host=evil.example;proto=https"}, 400),
    ],
)
async def test_the_library_asks_us_about_origins(headers: dict[str, str], status: int) -> None:
    """Its own check, which believes X-Forwarded-Host, is not used: only the same host and listed origins pass."""
    server = Server(Recorded(), transports=("polling",), allowed_origins=("https://listed.example",))
    async with served(server) as http:
        filled = {name: value.format(host=f"{http.host}:{http.port}") for name, value in headers.items()}
        async with http.get("/socket.io/?EIO=4&transport=polling", headers=filled) as response:
            assert response.status == status


async def test_a_client_that_leaves_by_polling_gets_its_last_poll_answered(recorded: Recorded) -> None:
    """The library tells us why a client went, and lets us end the poll that it waits for."""
    async with served(recorded.server) as http:
        async with http.get("/socket.io/?EIO=4&transport=polling") as response:
            eio_sid = json.loads((await response.text())[1:])["sid"]
        url = f"/socket.io/?EIO=4&transport=polling&sid={eio_sid}"
        last = asyncio.create_task(http.get(url))
        queue = recorded.server.eio.sockets[eio_sid].queue
        await until(lambda: bool(queue._getters), "the poll to wait")
        async with http.post(url, data="1") as response:
            assert response.status == 200
        async with asyncio.timeout(20):
            assert (await last).status == 200


def test_the_librarys_own_table_is_untouched(recorded: Recorded) -> None:
    """The class is replaced for our server alone: `_async` is shared by all servers of a process."""
    assert engineio_aiohttp._async["websocket"] is engineio_aiohttp.WebSocket
    assert recorded.server.eio._async is not engineio_aiohttp._async


@pytest_asyncio.fixture(loop_scope="session")
async def application() -> Application:
    """An application without rooms."""
    return Application()


@pytest_asyncio.fixture(loop_scope="session")
async def edge(application: Application) -> Edge:
    """The edge that serves it."""
    return Edge(GatewaySettings(nats_url=("unused",), admin_port=1), application)


async def connected(http: TestClient[Any, Any], user: str) -> ClientWebSocketResponse:
    """A WebSocket of a user whom the edge has let in."""
    websocket = await opened(http)
    await websocket.send_str(f'40{{"token":"{user}"}}')
    assert (await text(websocket)).startswith('40{"sid":')
    return websocket


async def test_one_frame_goes_to_all(edge: Edge, application: Application) -> None:
    """A broadcast reaches each open socket with the same bytes, in order; the skipped one gets nothing."""
    async with served(edge) as http:
        sockets = [await connected(http, f"u-{number}") for number in range(3)]
        await until(lambda: len(application.connections) == 3, "three connections")
        skipped = next(each for each in application.connections if each.bearer.user.id == "u-2")
        user = User(id="u-9", display_name="Nine")
        assert edge.broadcast(application.connections, edge.frame("first", user), skip=skipped.id) == 2
        assert edge.broadcast(application.connections, edge.frame("second", user)) == 3
        expected = [f'42["{name}",{{"id":"u-9","display_name":"Nine"}}]' for name in ("first", "second")]
        assert [[await text(each), await text(each)] for each in sockets[:2]] == [expected, expected]
        assert await text(sockets[2]) == expected[1]


async def test_a_closed_connection_is_no_error(edge: Edge, application: Application) -> None:
    """When its client is gone a connection is told so, its socket is closed, and sending to it does nothing."""
    async with served(edge) as http:
        websocket = await connected(http, "u-1")
        await until(lambda: bool(application.connections), "the connection")
        connection = application.connections[0]
        await websocket.close()
        await until(lambda: not application.connections and connection.socket.closed, "the end of the connection")
        assert not connection.is_open
        frame = edge.frame("late", User(id="u", display_name="N"))
        edge.send(connection, frame)
        assert edge.broadcast([connection], frame) == 0


async def test_events_are_acknowledged_by_their_number(edge: Edge, application: Application) -> None:
    """What a client names `connect` or `disconnect` is an event like any other, and invokes no handler of ours."""
    async with served(edge) as http:
        websocket = await connected(http, "u-1")
        for number, name in enumerate(("connect", "disconnect", "join", "anything")):
            await websocket.send_str(f'42{number}["{name}",{{"n":{number}}}]')
            assert await text(websocket) == f'43{number}[{{"id":"u-1","display_name":"N"}}]'
        assert [name for name, _ in application.events] == ["connect", "disconnect", "join", "anything"]
        assert len(application.connections) == 1


@pytest.mark.parametrize("packet", ["4", "4x", "49", "4[[[", '451-["x"]', "40x", '40{"token"', "44", "42"])
async def test_a_packet_that_is_none_ends_its_connection(edge: Edge, application: Application, packet: str) -> None:
    """No zombie is left: not in the edge, and not among the library's sockets."""
    async with served(edge) as http:
        websocket = await connected(http, "u-1")
        await until(lambda: bool(application.connections), "the connection")
        await websocket.send_str(packet)
        async with asyncio.timeout(20):
            while (await websocket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED}:
                pass
        await until(lambda: not application.connections, "the end of the connection")
        await until(lambda: not edge._server.eio.sockets, "the end of the socket")


async def test_who_is_refused_is_told_why(edge: Edge, application: Application) -> None:
    """A refused CONNECT is answered with code and message, and never becomes a connection."""
    async with served(edge) as http:
        websocket = await opened(http)
        await websocket.send_str("40")
        refused = await text(websocket)
        assert refused.startswith("44")
        assert json.loads(refused[2:]) == {
            "message": "who are you?",
            "data": {"code": "unauthorized", "message": "who are you?"},
        }
        assert not application.connections
