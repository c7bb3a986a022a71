"""How the gateway's application hears of its clients through the edge's seams, `on_packet` and `greet`."""

import json
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from aiohttp import web

from services.gateway import metrics
from services.gateway.admission import Admission
from services.gateway.clients import Clients
from services.gateway.connection import Connection
from services.gateway.edge import frames
from services.gateway.edge.environ import Environ
from services.gateway.edge.limits import Limits
from tests.conformance.raw import Endpoint, WebSocket
from tests.conformance.serving import Serving
from tests.support.waiting import DEADLINE_SECONDS
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User


class Application:
    """`clients.Application` for users who say who they are; greets, and acknowledges with what it was sent."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []
        self.admission = Admission(at_once=64, per_user=2)
        self.fails = ""
        """The name of what raises an error that it should not."""

    async def authenticate(self, auth: object) -> Verified:
        """See `clients.Application`."""
        self.told.append(("authenticate", auth))
        if not isinstance(auth, dict):
            raise ParleyError(ErrorCode.UNAUTHORIZED, "who are you?")
        return Verified(user=User(id=auth["token"], display_name="N"), session="s", expires_at=2**40, issued_at=0)

    async def admit(self, connection: Connection, auth: object) -> None:
        """See `clients.Application`."""
        self.told.append(("admit", (connection.bearer.user.id, auth)))
        if self.fails == "admit":
            raise RuntimeError(self.fails)

    def connected(self, connection: Connection) -> tuple[Mapping[str, str], list[bytes]]:
        """See `clients.Application`."""
        self.told.append(("connected", connection.bearer.user.id))
        if self.fails == "connected":
            raise RuntimeError(self.fails)
        return {"pid": "p"}, [b'2["hello"]', b'2["again"]']

    def disconnected(self, connection: Connection) -> None:
        """See `clients.Application`."""
        self.told.append(("disconnected", (connection.is_open, connection.has_left)))

    def handle(self, connection: Connection, ack_id: str, text: str) -> None:
        """See `clients.Application`."""
        connection.session.write(frames.message(f"3{ack_id}[{json.dumps(text)}]".encode()))

    def serve(self) -> web.Application:
        """As the gateway does."""
        app = web.Application()
        clients = Clients(
            self,
            limits=Limits(),
            transports=("polling", "websocket"),
            allowed_origins=(),
            admission=self.admission,
        )
        clients.attach(app)

        async def close(_app: web.Application) -> None:
            await clients.close()

        app.on_shutdown.append(close)
        return app


@pytest.fixture
def application() -> Application:
    """An application without rooms."""
    return Application()


@pytest.fixture
def endpoint(application: Application) -> Iterator[Endpoint]:
    """Where it is served."""
    with Serving(application.serve) as serving:
        yield Endpoint(serving.port, "/socket.io/")


def connected(endpoint: Endpoint) -> WebSocket:
    """A client that was let in."""
    websocket, _ = endpoint.open_websocket()
    websocket.send_text('40{"token":"u-1"}')
    answer = str(websocket.packet())
    assert answer.startswith('40{"sid":')
    assert answer.endswith(',"pid":"p"}')
    assert [websocket.packet(), websocket.packet()] == ['42["hello"]', '42["again"]']
    return websocket


def test_letting_a_client_in_does_not_make_what_nobody_asks_for(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request's environ is handed to the connect handler, which does not look at it."""
    made: list[Environ] = []

    def all_of(environ: Environ) -> dict[str, str]:
        made.append(environ)
        return {}

    monkeypatch.setattr(Environ, "_all", all_of)
    with connected(endpoint):
        assert not made


def test_who_is_let_in_is_greeted_after_the_answer(application: Application, endpoint: Endpoint) -> None:
    """Authenticated, admitted, then told of: the answer to CONNECT says what the application adds, then it greets."""
    auth = {"token": "u-1"}
    with connected(endpoint):
        assert application.told == [("authenticate", auth), ("admit", ("u-1", auth)), ("connected", "u-1")]


def test_who_is_refused_is_told_why(application: Application, endpoint: Endpoint) -> None:
    """With code and message; the application hears of no connection."""
    websocket, _ = endpoint.open_websocket()
    with websocket:
        websocket.send_text("40")
        refused = str(websocket.packet())
        assert refused.startswith("44")
        assert json.loads(refused[2:]) == {
            "message": "who are you?",
            "data": {"code": "unauthorized", "message": "who are you?"},
        }
    assert application.told == [("authenticate", None)]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_every_event_is_the_applications(endpoint: Endpoint, transport: str) -> None:
    """As text, with its acknowledgement's number; `connect` and `disconnect` are names like any other."""
    names = ["connect", "disconnect", "join", "anything", ""]
    sent = [f'42{number}["{name}",{{"n":{number}}}]' for number, name in enumerate(names)]
    expected = [f"43{number}[{json.dumps(each[3:])}]" for number, each in enumerate(sent)]
    if transport == "websocket":
        with connected(endpoint) as websocket:
            for each in sent:
                websocket.send_text(each)
            assert [websocket.packet() for _ in sent] == expected
    else:
        session = endpoint.open_polling()
        assert session.post('40{"token":"u-1"}') == (200, "ok")
        assert session.poll()[1].endswith('\x1e42["hello"]\x1e42["again"]')
        assert session.post("\x1e".join(sent)) == (200, "ok")
        assert session.poll()[1].split("\x1e") == expected


@pytest.mark.parametrize(
    "packet",
    ["4", "4x", "49", "4[[[", '451-["x"]', "40x", '40{"token"', '40{"token":"u-1"}', "44", "42", "42x[]", b"binary"],
    ids=repr,
)
def test_a_packet_that_is_none_ends_its_connection(
    application: Application, endpoint: Endpoint, packet: str | bytes
) -> None:
    """At once, and the application is told once."""
    with connected(endpoint) as websocket:
        if isinstance(packet, str):
            websocket.send_text(packet)
        else:
            websocket.send_binary(packet)
        assert websocket.packet() == "1"
        assert websocket.refusal() == 1000
    assert application.told[3:] in ([], [("disconnected", (False, False))])


def test_a_connection_is_over_when_its_client_disconnects(application: Application, endpoint: Endpoint) -> None:
    """Although the session goes on, with another connection."""
    with connected(endpoint) as websocket:
        websocket.send_text("41")
        websocket.send_text('40{"token":"u-2"}')
        assert str(websocket.packet()).startswith('40{"sid":')
    assert application.told[3] == ("disconnected", (False, True))


def test_an_acknowledgement_that_nobody_asked_for_is_ignored(endpoint: Endpoint) -> None:
    """No event of the contract asks for one."""
    with connected(endpoint) as websocket:
        websocket.send_text("431[]")
        websocket.send_text('421["x"]')
        assert websocket.packet() == '431["[\\"x\\"]"]'


def test_a_user_has_so_many_connections_and_no_more(application: Application, endpoint: Endpoint) -> None:
    """The next is refused with the time to wait; other users are not, and nor is the next once one has gone."""
    first, second = connected(endpoint), connected(endpoint)
    with first, endpoint.open_websocket()[0] as third:
        with second:
            third.send_text('40{"token":"u-1"}')
            refused = json.loads(str(third.packet())[2:])["data"]
            assert (refused["code"], 2 <= refused["retry_after"] <= 10) == ("rate_limited", True)
            third.send_text('40{"token":"u-2"}')
            assert str(third.packet()).startswith("40")
        _until(lambda: application.admission.users["u-1"] == 1)
        with connected(endpoint):
            pass
    _until(lambda: not application.admission.users)


@pytest.mark.parametrize("fails", ["admit", "connected"])
def test_a_defect_while_a_client_is_let_in_takes_no_place(
    application: Application, endpoint: Endpoint, fails: str
) -> None:
    """Whatever goes wrong, the user may have as many connections as ever; it is counted as ours."""
    application.fails = fails
    before = metrics.connects[ErrorCode.INTERNAL,]
    for _ in range(3):
        with endpoint.open_websocket()[0] as websocket:
            websocket.send_text('40{"token":"u-1"}')
            assert websocket.end() is not None
    assert not application.admission.users
    assert metrics.connects[ErrorCode.INTERNAL,] == before + 3  # or no objective would hear of it
    application.fails = ""
    with connected(endpoint):
        assert application.admission.users == {"u-1": 1}


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
