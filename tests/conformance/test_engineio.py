"""Engine.IO 4: what the official suite checks, and what it leaves out, without Node.js."""

import base64
import time

import pytest

from tests.conformance.raw import Endpoint, RefusedError, WebSocket
from tests.conformance.server import LIMITS

SECONDS = LIMITS.ping_interval + LIMITS.ping_timeout


@pytest.mark.parametrize("path", ["/engine.io/", "/socket.io/"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_session_opens_with_all_that_the_client_needs(engineio: Endpoint, path: str, transport: str) -> None:
    """The handshake names the session, the upgrades that are left, the heartbeat in milliseconds and the limit."""
    endpoint = Endpoint(engineio.port, path)
    if transport == "polling":
        hello = endpoint.open_polling().hello
    else:
        websocket, hello = endpoint.open_websocket()
        websocket.socket.close()
    sid = hello.pop("sid")
    assert isinstance(sid, str)
    assert len(sid) >= 20
    assert hello == {
        "upgrades": ["websocket"] if transport == "polling" else [],
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"EIO": "", "transport": "polling"}, 5),
        ({"EIO": "abc", "transport": "polling"}, 5),
        ({"EIO": "3", "transport": "polling"}, 5),
        ({}, 0),
        ({"transport": "abc"}, 0),
        ({"transport": "polling", "sid": "unknown"}, 1),
        ({"transport": "polling", "j": "0"}, 3),
    ],
)
def test_a_bad_request_is_refused_with_the_protocols_code(
    engineio: Endpoint, query: dict[str, str], code: int
) -> None:
    """400, and JSON that says what was wrong."""
    status, body = engineio.request("GET", **query)
    assert status == 400
    assert f'"code": {code},' in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_get_opens_a_session(engineio: Endpoint, method: str) -> None:
    """Any other method is the protocol's code 2."""
    status, body = engineio.request(method, transport="polling")
    assert status == 400
    assert '"code": 2,' in body


@pytest.mark.parametrize(
    "query",
    [{"EIO": ""}, {"EIO": "abc"}, {"sid": "unknown"}, {"transport": ""}, {"transport": "abc"}],
    ids=str,
)
def test_a_bad_websocket_is_refused_before_it_opens(engineio: Endpoint, query: dict[str, str]) -> None:
    """The same checks come before the handshake."""
    with pytest.raises(RefusedError) as refused:
        WebSocket(engineio.port, engineio.target(**{"transport": "websocket", **query}))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upgrade": "h2c"}, 400),
        ({"Connection": "keep-alive"}, 400),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"}, 400),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade"}, 101),
    ],
    ids=str,
)
def test_the_handshake_is_checked(engineio: Endpoint, headers: dict[str, str], status: int) -> None:
    """RFC 6455, 4.2.1: the fields that have to be there, in any case; another version is told which one it is."""
    try:
        WebSocket(engineio.port, engineio.target(transport="websocket"), headers).socket.close()
        found = 101
    except RefusedError as refused:
        found = refused.status
    assert found == status


@pytest.mark.parametrize(
    "payload",
    [
        "4hello",
        "4test1\x1e4test2\x1e4test3",
        "4hello\x1ebAQIDBA==",
        "bAQIDBA==",
        "4",
        "4h\u00e9llo \u20ac \U0001f680",
        "4" + "x" * 100_000,
        "b" + base64.b64encode(bytes(range(256)) * 300).decode(),
    ],
    ids=["text", "three", "mixed", "binary", "empty", "unicode", "large", "large-binary"],
)
def test_polling_carries_payloads_both_ways(engineio: Endpoint, payload: str) -> None:
    """Text and binary packets, one or several, come back as they went."""
    session = engineio.open_polling()
    assert session.post(payload) == (200, "ok")
    assert session.poll() == (200, payload)


def test_a_poll_gets_no_more_packets_than_every_client_takes(engineio: Endpoint) -> None:
    """A payload has at most 16, the Python client's limit; the rest comes with the next, in order."""
    session = engineio.open_polling()
    sent = [f"4{number}" for number in range(50)]
    assert session.post("\x1e".join(sent)) == (200, "ok")
    got: list[str] = []
    while len(got) < 50:
        packets = session.poll()[1].split("\x1e")
        assert len(packets) <= 16
        got += packets
    assert got == sent


@pytest.mark.parametrize("payload", ["abc", "", "4ok\x1e", "bnot base64", "4ok\x1ex", "0", "9"], ids=repr)
def test_an_invalid_packet_ends_a_polling_session(engineio: Endpoint, payload: str) -> None:
    """The POST is refused, and the session is over."""
    session = engineio.open_polling()
    assert session.post(payload)[0] == 400
    assert session.is_over()


def test_a_payload_above_the_limit_is_refused(engineio: Endpoint) -> None:
    """One byte more than `maxPayload` is 413, and the session is over; `maxPayload` itself is served."""
    session = engineio.open_polling()
    assert session.post("4" * LIMITS.payload_most) == (200, "ok")
    assert session.post("4" * (LIMITS.payload_most + 1))[0] == 413
    assert session.is_over()


def test_a_second_poll_ends_the_session(engineio: Endpoint) -> None:
    """The first is told of the end, and the second refused."""
    session = engineio.open_polling()
    with session.polls() as first:
        second = session.poll()
        response = first.getresponse()
        told = sorted([(response.status, response.read().decode()), second])
    assert told[0] == (200, "1")
    assert told[1][0] == 400
    assert session.is_over()


def test_a_poll_that_is_hung_up_ends_the_session(engineio: Endpoint) -> None:
    """What was to answer it may be lost: the client has to begin anew."""
    session = engineio.open_polling()
    with session.polls():
        pass
    assert session.is_over()


@pytest.mark.parametrize("message", ["4hello", "4", "4" + "x" * 70_000, b"", b"\x01\x02\x03\x04", b"\xff" * 70_000])
def test_a_websocket_carries_messages_both_ways(engineio: Endpoint, message: str | bytes) -> None:
    """Text and binary come back as they went."""
    websocket, _ = engineio.open_websocket()
    with websocket:
        if isinstance(message, str):
            websocket.send_text(message)
        else:
            websocket.send_binary(message)
        assert websocket.packet() == message


@pytest.mark.parametrize("packet", ["abc", "", "x", "0", "2", "5", "9"], ids=repr)
def test_an_invalid_packet_ends_a_websocket(engineio: Endpoint, packet: str) -> None:
    """It is closed in form."""
    websocket, _ = engineio.open_websocket()
    with websocket:
        websocket.send_text(packet)
        assert websocket.packet() == "1"
        assert websocket.refusal() == 1000


def test_polling_hears_pings_for_as_long_as_it_answers(engineio: Endpoint) -> None:
    """One each interval."""
    session = engineio.open_polling()
    for _ in range(4):
        assert session.poll() == (200, "2")
        assert session.post("3") == (200, "ok")


def test_a_websocket_hears_pings_for_as_long_as_it_answers(engineio: Endpoint) -> None:
    """One each interval."""
    begun = time.monotonic()
    websocket, _ = engineio.open_websocket()
    with websocket:
        for _ in range(4):
            assert websocket.receive() == (1, b"2")
            websocket.send_text("3")
        assert time.monotonic() - begun >= 4 * LIMITS.ping_interval * 0.99


def test_a_polling_session_without_pongs_ends(engineio: Endpoint) -> None:
    """After one interval and one timeout, not before; the poll that waits is no CLOSE, so that clients come back."""
    begun = time.monotonic()
    session = engineio.open_polling()
    assert session.poll() == (200, "2")
    assert session.poll() == (200, "6")
    assert time.monotonic() - begun >= SECONDS * 0.98
    assert session.is_over()


def test_a_websocket_without_pongs_ends(engineio: Endpoint) -> None:
    """After one interval and one timeout, not before; closed in form."""
    begun = time.monotonic()
    websocket, _ = engineio.open_websocket()
    with websocket:
        assert websocket.end() == 1000
        assert time.monotonic() - begun >= SECONDS * 0.98


def test_a_client_ends_its_polling_session(engineio: Endpoint) -> None:
    """The poll that waits gets a NOOP, and then the session is unknown."""
    session = engineio.open_polling()
    with session.polls() as poll:
        assert session.post("1") == (200, "ok")
        response = poll.getresponse()
        assert (response.status, response.read()) == (200, b"6")
    assert session.is_over()


def test_a_client_ends_its_websocket(engineio: Endpoint) -> None:
    """A CLOSE packet is answered by closing the connection."""
    websocket, _ = engineio.open_websocket()
    with websocket:
        websocket.send_text("1")
        assert websocket.packet() == "6"
        assert websocket.refusal() == 1000
