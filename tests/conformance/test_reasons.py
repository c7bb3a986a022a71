"""What a `disconnect` handler is told, for every way in which a session can end: python-socketio's words."""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import Polling
from tests.conformance.features import Features
from tests.conformance.raw import CLOSE, TEXT, Endpoint, PollingSession, WebSocket, frame

LIMITS = Limits(ping_interval=0.3, ping_timeout=0.2, close_timeout=0.3, payload_most=10_000, unsent_most=100_000)
PATIENT = Limits(close_timeout=0.3, payload_most=10_000, unsent_most=100_000)
"""No ping within a test."""


@pytest.fixture(scope="module")
def patient() -> Iterator[Features]:
    """A server that pings nobody for as long as a test lasts."""
    with Features(PATIENT) as features:
        yield features


def websocket(features: Features) -> tuple[WebSocket, str]:
    """A client on a WebSocket, and its sid."""
    raw, _ = Endpoint(features.port, "/socket.io/").open_websocket()
    raw.send_text("40")
    assert str(raw.packet()).startswith("40{")
    return raw, features.joined[-1][1]


def polling(features: Features) -> tuple[PollingSession, str]:
    """A client that polls, and its sid."""
    session = Endpoint(features.port, "/socket.io/").open_polling()
    assert session.post("40")[0] == 200
    assert session.poll()[1].startswith("40{")
    return session, features.joined[-1][1]


def reason(features: Features, sid: str) -> str:
    """Why it has left; waits for it, and makes sure that it is told once."""
    deadline = time.monotonic() + 10
    while True:
        reasons = [why for _, each, why in features.left if each == sid]
        if reasons:
            assert len(reasons) == 1
            return reasons[0]
        assert time.monotonic() < deadline, "the disconnect handler was not called"
        select.select([], [], [], 0.01)


def reset(raw: WebSocket) -> None:
    """End a connection as a crash does."""
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.socket.close()


def waits(features: Features, sid: str) -> bool:
    """Whether a poll of this client waits for something to come."""
    session = features.server.session_of(sid)
    assert session is not None
    assert isinstance(session.transport, Polling)
    return session.transport._poll is not None


BY_WEBSOCKET: dict[str, tuple[Callable[[WebSocket], None], str]] = {
    "leaves the namespace": (lambda raw: raw.send_text("41"), "client disconnect"),
    "sends Engine.IO's CLOSE": (lambda raw: raw.send_text("1"), "client disconnect"),
    "leaves, and closes": (lambda raw: raw.send(frame(TEXT, b"41") + frame(CLOSE)), "client disconnect"),
    "closes the WebSocket": (lambda raw: raw.send(frame(CLOSE)), "transport close"),
    "closes the connection": (lambda raw: raw.socket.close(), "transport close"),
    "shuts it down": (lambda raw: raw.socket.shutdown(socket.SHUT_WR), "transport close"),
    "crashes": (reset, "transport error"),
    "sends no packet": (lambda raw: raw.send_text("x"), "transport error"),
    "sends no Socket.IO packet": (lambda raw: raw.send_text("4x"), "transport error"),
    "sends no frame": (lambda raw: raw.send(b"\xff" * 14), "transport error"),
    "sends too much": (lambda raw: raw.send_binary(b"x" * 10_001), "transport error"),
    "sends no UTF-8": (lambda raw: raw.send(frame(TEXT, b"4\xff")), "transport error"),
}


@pytest.mark.parametrize("what", BY_WEBSOCKET)
def test_a_client_ends_its_websocket(patient: Features, what: str) -> None:
    """However it does it."""
    act, expected = BY_WEBSOCKET[what]
    raw, sid = websocket(patient)
    with raw:
        act(raw)
        assert reason(patient, sid) == expected


def test_a_client_that_polls_says_goodbye(patient: Features) -> None:
    """By either layer's packet."""
    for packet in ("41", "1"):
        session, sid = polling(patient)
        assert session.post(packet) == (200, "ok")
        assert reason(patient, sid) == "client disconnect"


def test_a_poll_is_hung_up(patient: Features) -> None:
    """The client has gone, or an answer is lost."""
    session, sid = polling(patient)
    with session.polls():
        pass
    assert reason(patient, sid) == "transport close"


def test_a_polling_client_breaks_the_protocol(patient: Features) -> None:
    """By a packet that is none, a second poll, or too large a payload."""
    for payload in ("x", "4x", "4" + "x" * 10_000):
        session, sid = polling(patient)
        assert session.post(payload)[0] in {400, 413}
        assert reason(patient, sid) == "transport error"
    session, sid = polling(patient)
    with session.polls(), session.polls():
        assert reason(patient, sid) == "transport error"


def test_the_server_ends_a_client(patient: Features) -> None:
    """By its own wish, on either transport; and when it goes away."""
    raw, sid = websocket(patient)
    with raw:
        patient.disconnect(sid)
        assert raw.packet() == "41"
        assert reason(patient, sid) == "server disconnect"
    session, sid = polling(patient)
    patient.disconnect(sid)
    assert session.poll() == (200, "41")
    assert reason(patient, sid) == "server disconnect"
    raw, sid = websocket(patient)
    with raw:
        patient.go_away(sid)
        assert raw.packet() == "6"
        assert raw.end() == 1001
        assert reason(patient, sid) == "server disconnect"


def test_a_client_reads_nothing(patient: Features) -> None:
    """More than may wait for it is sent: it is let go, and what waits is freed."""
    raw, sid = websocket(patient)
    with raw:
        for _ in range(100):
            patient.run(patient.server.emit("much", "x" * 100_000, to=sid))
        assert reason(patient, sid) == "transport error"
        assert patient.call(lambda: len(patient.server.eio._entrance._backlog._behind)) == 0


def test_pings_are_not_answered() -> None:
    """On either transport."""
    with Features(LIMITS) as features:
        raw, sid = websocket(features)
        with raw:
            assert reason(features, sid) == "ping timeout"
            assert raw.end() == 1000
        _, sid = polling(features)
        assert reason(features, sid) == "ping timeout"


def test_a_client_in_two_namespaces_leaves_both(patient: Features) -> None:
    """With its session it leaves all that it is in, and each handler is told; by a packet it leaves one."""
    raw, sid = websocket(patient)
    with raw:
        raw.send_text("40/custom")
        assert str(raw.packet()).startswith("40/custom,{")
        custom = patient.joined[-1][1]
        assert custom != sid
        raw.send(frame(CLOSE))
        assert {reason(patient, sid), reason(patient, custom)} == {"transport close"}
    raw, sid = websocket(patient)
    with raw:
        raw.send_text("40/custom")
        assert str(raw.packet()).startswith("40/custom,{")
        custom = patient.joined[-1][1]
        raw.send_text("41/custom")
        assert reason(patient, custom) == "client disconnect"
        raw.send_text('421["echo"]')
        assert raw.packet() == "431[]"
        raw.send(frame(CLOSE))
        assert reason(patient, sid) == "transport close"


def test_a_shutdown_ends_all() -> None:
    """Everybody is told to come back: a WebSocket by 1001, a poll by a NOOP; no session and no task is left."""
    with Features(PATIENT) as features:
        raw, sid = websocket(features)
        session, other = polling(features)
        poll = session.polls()
        with raw, poll as connection:
            while not features.call(lambda: waits(features, other)):
                pass
            features.run(features.server.shutdown())
            assert raw.packet() == "6"
            assert raw.end() == 1001
            assert connection.getresponse().read() == b"6"
        assert reason(features, sid) == reason(features, other) == "server disconnect"
        assert features.call(lambda: (len(features.server.eio.sockets), len(features.server.eio._tasks))) == (0, 0)
        assert features.server.manager.rooms == {}
