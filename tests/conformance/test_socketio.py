"""Socket.IO 5: what the official suite checks, and what it leaves out, without Node.js."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conformance.raw import Endpoint, WebSocket
from tests.conformance.server import LIMITS


def text(websocket: WebSocket) -> str:
    """The next packet, which is text."""
    packet = websocket.packet()
    assert isinstance(packet, str)
    return packet


@contextmanager
def opened(endpoint: Endpoint) -> Iterator[WebSocket]:
    """A session in no namespace yet."""
    websocket, _ = endpoint.open_websocket()
    with websocket:
        yield websocket


@contextmanager
def connected(endpoint: Endpoint, namespace: str = "") -> Iterator[WebSocket]:
    """A session in a namespace."""
    with opened(endpoint) as websocket:
        connect(websocket, namespace)
        yield websocket


def connect(websocket: WebSocket, namespace: str = "") -> str:
    """Connect to a namespace, past the packets that answer; the client's id."""
    websocket.send_text(f"40{namespace}")
    answer = text(websocket)
    head = "40" + (namespace and f"{namespace},")
    assert answer.startswith(head)
    told = json.loads(answer[len(head) :])
    assert text(websocket).endswith('["auth",{}]')
    assert list(told) == ["sid"]
    sid: str = told["sid"]
    return sid


@pytest.mark.parametrize("auth", ["", '{"token":"123"}', '{"a":[1,null,{"b":"\u20ac"}]}'], ids=repr)
@pytest.mark.parametrize("namespace", ["", "/custom,"])
def test_a_client_connects_to_a_namespace(socketio: Endpoint, namespace: str, auth: str) -> None:
    """It gets an id of its own there, and the handler what it authenticated with."""
    with opened(socketio) as websocket:
        websocket.send_text(f"40{namespace}{auth}")
        answer = text(websocket)
        assert answer.startswith(f"40{namespace}{{")
        assert list(json.loads(answer.removeprefix(f"40{namespace}"))) == ["sid"]
        packet = text(websocket)
        assert packet.startswith(f'42{namespace}["auth",')
        assert json.loads(packet.removeprefix(f"42{namespace}")) == ["auth", json.loads(auth or "{}")]


def test_every_id_is_another_one(socketio: Endpoint) -> None:
    """In each namespace and on each session; the session's own, which is secret, is none of them."""
    websocket, hello = socketio.open_websocket()
    with websocket, connected(socketio) as other:
        ids = {hello["sid"], connect(websocket), connect(websocket, "/custom"), connect(other, "/custom")}
    assert len(ids) == 4


def test_an_unknown_namespace_is_refused(socketio: Endpoint) -> None:
    """In words that clients know; the session goes on, and may connect elsewhere in time."""
    with opened(socketio) as websocket:
        websocket.send_text("40/random")
        assert text(websocket) == '44/random,{"message":"Invalid namespace"}'
        connect(websocket)
        websocket.send_text("40/random")
        assert text(websocket) == '44/random,{"message":"Invalid namespace"}'
        websocket.send_text('42["message",1]')
        assert text(websocket) == '42["message-back",1]'


def test_the_query_of_a_namespace_is_not_part_of_its_name(socketio: Endpoint) -> None:
    """As in the JavaScript server: what follows `?` is dropped."""
    with opened(socketio) as websocket:
        websocket.send_text("40/custom?token=abc,")
        assert text(websocket).startswith('40/custom,{"sid":')


def test_a_session_that_connects_to_nothing_ends(socketio: Endpoint) -> None:
    """After the connect timeout, for as long as it answers pings."""
    with opened(socketio) as websocket:
        for _ in range(10):
            opcode, payload = websocket.receive()
            if payload == b"2":
                websocket.send_text("3")
            elif opcode == 8:
                break
        else:
            pytest.fail("it lives on")


def test_a_session_that_was_refused_ends_soon(socketio: Endpoint) -> None:
    """It has had its answer, and is of no use."""
    with opened(socketio) as websocket:
        websocket.send_text("40/random")
        assert text(websocket).startswith("44/random,")
        assert websocket.end() == 1000


def test_leaving_the_only_namespace_leaves_the_session(socketio: Endpoint) -> None:
    """It hears pings, and may connect again."""
    with connected(socketio) as websocket:
        websocket.send_text("41")
        assert websocket.receive() == (1, b"2")
        websocket.send_text("3")
        connect(websocket)
        websocket.send_text('42["message",1]')
        assert text(websocket) == '42["message-back",1]'


def test_leaving_one_namespace_leaves_the_others(socketio: Endpoint) -> None:
    """Events of the one that was left reach nobody, those of the other are answered."""
    with connected(socketio) as websocket:
        connect(websocket, "/custom")
        websocket.send_text("41/custom")
        websocket.send_text('42/custom,["message","gone"]')
        websocket.send_text('42["message","here"]')
        assert text(websocket) == '42["message-back","here"]'
        connect(websocket, "/custom")
        websocket.send_text('42/custom,["message","back"]')
        assert text(websocket) == '42/custom,["message-back","back"]'


@pytest.mark.parametrize(
    "arguments", ['1,"2",{"3":[true]}', '"\u20ac \\" \\\\ \\n"', "null", "[]", "[[]]", "{}", '"2"', '""', "-1.5e3"]
)
@pytest.mark.parametrize("namespace", ["", "/custom"])
def test_an_event_is_echoed(socketio: Endpoint, namespace: str, arguments: str) -> None:
    """With all of its arguments, in its namespace."""
    head = "42" + (namespace and f"{namespace},")
    with connected(socketio, namespace) as websocket:
        websocket.send_text(f'{head}["message",{arguments}]')
        answer = text(websocket)
        assert answer.startswith(head)
        assert json.loads(answer[len(head) :]) == ["message-back", *json.loads(f"[{arguments}]")]


@pytest.mark.parametrize("number", [0, 1, 456, 2**31, 9_007_199_254_740_991])
@pytest.mark.parametrize("namespace", ["", "/custom,"])
def test_an_event_is_acknowledged(socketio: Endpoint, namespace: str, number: int) -> None:
    """With the id that it came with, and what the handler returned."""
    with connected(socketio, namespace.rstrip(",")) as websocket:
        websocket.send_text(f'42{namespace}{number}["message-with-ack",1,"2",{{"3":[false]}}]')
        assert text(websocket) == f'43{namespace}{number}[1,"2",{{"3":[false]}}]'


def test_an_event_without_arguments_is_acknowledged_without_any(socketio: Endpoint) -> None:
    """`[]`."""
    with connected(socketio) as websocket:
        websocket.send_text('421["message-with-ack"]')
        assert text(websocket) == "431[]"


PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize(
    ("event", "answer"),
    [('["message",', '45{}["message-back",'), ('789["message-with-ack",', "46{}789[")],
    ids=["event", "ack"],
)
def test_binary_attachments_go_both_ways(socketio: Endpoint, event: str, answer: str, namespace: str) -> None:
    """Each as a binary message behind its packet, in order; pings may come between."""
    attachments = [bytes(range(256)), b""]
    with connected(socketio, namespace.rstrip(",")) as websocket:
        websocket.send_text(f"452-{namespace}{event}{PLACEHOLDERS}]")
        for each in attachments:
            websocket.send_binary(each)
        head = answer.format(f"2-{namespace}")
        assert text(websocket) == f"{head}{PLACEHOLDERS}]"
        assert [websocket.packet(), websocket.packet()] == attachments


def test_a_pong_between_attachments_does_no_harm(socketio: Endpoint) -> None:
    """The heartbeat is of another layer."""
    with connected(socketio) as websocket:
        websocket.send_text(f'452-["message",{PLACEHOLDERS}]')
        websocket.send_binary(b"1")
        websocket.send_text("3")
        websocket.send_binary(b"2")
        assert text(websocket).startswith('452-["message-back",')
        assert [websocket.packet(), websocket.packet()] == [b"1", b"2"]


def test_binary_attachments_go_both_ways_by_polling(socketio: Endpoint) -> None:
    """As base64, in the payload of their packet."""
    session = socketio.open_polling()
    assert session.post("40") == (200, "ok")
    packets = session.poll()[1].split("\x1e")
    assert [each[:3] for each in packets] == ["40{", "42["]
    assert session.post(f'452-["message",{PLACEHOLDERS}]\x1ebAQID\x1ebBAUG') == (200, "ok")
    assert session.poll()[1] == f'452-["message-back",{PLACEHOLDERS}]\x1ebAQID\x1ebBAUG'


@pytest.mark.parametrize(
    "packets",
    [
        ["4abc"],
        ["4"],
        ["47"],
        ["42{}"],
        ["42"],
        ["42[]"],
        ["42[1]"],
        ["42[null]"],
        ['42["message"'],
        ['42abc["message-with-ack",1,"2",{"3":[false]}]'],
        ["42" + "9" * 200 + '["message"]'],
        ['42["connect"]'],
        ['42["connect_error"]'],
        ['42["disconnect"]'],
        ['42["disconnecting"]'],
        ['42["newListener"]'],
        ['42["removeListener"]'],
        ['42-5["message"]'],
        ['421.5["message"]'],
        ["43[]"],
        ["431{}"],
        ["43x[]"],
        ["40"],
        ["41[]"],
        ['44{"message":"x"}'],
        ['45["message"]'],
        ['450-["message"]'],
        ['4517-["message",{"_placeholder":true,"num":0}]'],
        ['4599999999999-["message",{"_placeholder":true,"num":0}]'],
        ['45-1-["message"]'],
        ['451-["message",{"_placeholder":true,"num":1}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":-1}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":"0"}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":false}]', b"x"],
        ['451-["message",{"_placeholder":true}]', b"x"],
        ['451-["message",{"_placeholder":true,"num":0}]', "42[]"],
        ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
        ['452-["message",{"_placeholder":true,"num":0}]', b"x", "4"],
        [b"unannounced"],
    ],
    ids=lambda packets: repr(packets)[:40],
)
def test_an_invalid_packet_ends_the_connection(socketio: Endpoint, packets: list[str | bytes]) -> None:
    """Closed in form, and at once."""
    with connected(socketio) as websocket:
        for each in packets:
            if isinstance(each, str):
                websocket.send_text(each)
            else:
                websocket.send_binary(each)
        assert websocket.packet() == "1"
        assert websocket.refusal() == 1000


@pytest.mark.parametrize("packet", ["4abc", '42["message"]', "41", "43[]", '451-["message"]', "44{}"])
def test_before_connect_nothing_else_is_of_any_effect(socketio: Endpoint, packet: str) -> None:
    """An invalid packet ends the session; a valid one is dropped, and the connect timeout runs on."""
    with opened(socketio) as websocket:
        websocket.send_text(packet)
        assert websocket.end() == 1000


def test_attachments_are_bounded_together(socketio: Endpoint) -> None:
    """All attachments of one packet are no larger than one message may be."""
    half = LIMITS.payload_most // 2
    with connected(socketio) as websocket:
        websocket.send_text(f'452-1["message-with-ack",{PLACEHOLDERS}]')
        websocket.send_binary(b"x" * half)
        websocket.send_binary(b"y" * half)
        assert text(websocket).startswith("462-1[")
        assert [websocket.packet(), websocket.packet()] == [b"x" * half, b"y" * half]
        websocket.send_text(f'452-1["message-with-ack",{PLACEHOLDERS}]')
        websocket.send_binary(b"x" * half)
        websocket.send_binary(b"y" * (half + 1))
        assert websocket.packet() == "1"
        assert websocket.refusal() == 1000


def test_events_are_handled_in_order(socketio: Endpoint) -> None:
    """Many in one write are answered one after the other."""
    with connected(socketio) as websocket:
        for number in range(200):
            websocket.send_text(f'42{number}["message-with-ack",{number}]')
        assert [text(websocket) for _ in range(200)] == [f"43{number}[{number}]" for number in range(200)]
