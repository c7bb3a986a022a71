"""Engine.IO 4: from polling to a WebSocket, without the official suite."""

import select
from typing import Any

import pytest

from tests.conformance.raw import PING, PONG, Endpoint, frame
from tests.conformance.server import LIMITS

SECONDS = LIMITS.ping_interval + LIMITS.ping_timeout


def test_an_upgrade_is_probed_and_done(engineio: Endpoint) -> None:
    """The probe is answered, a poll that begins meanwhile ends at once, and then the WebSocket is the transport."""
    session = engineio.open_polling()
    with session.websocket() as websocket:
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        assert session.poll() == (200, "6")
        websocket.send_text("5")
        websocket.send_text("4hello")
        assert websocket.packet() == "4hello"
        assert session.is_over(), "HTTP has nothing more to say about it"
        websocket.send_text("4still there")
        assert websocket.packet() == "4still there"


def test_a_poll_that_waits_is_ended_by_an_upgrade(engineio: Endpoint) -> None:
    """By the probe, so that the client can pause."""
    session = engineio.open_polling()
    with session.polls() as poll, session.websocket() as websocket:
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        assert poll.getresponse().read() == b"6"


@pytest.mark.parametrize("when", ["while the first probes", "after the upgrade"])
def test_a_second_websocket_of_a_session_is_closed(engineio: Endpoint, when: str) -> None:
    """It opens, is closed with a code, and does the first no harm."""
    session = engineio.open_polling()
    with session.websocket() if when.startswith("while") else session.upgraded() as first:
        with session.websocket() as second:
            assert second.end() == 1008
        if when.startswith("while"):
            first.send_text("2probe")
            assert first.packet() == "3probe"
            first.send_text("5")
        first.send_text("4hello")
        assert first.packet() == "4hello"


def test_what_waits_for_a_poll_comes_by_the_websocket_first(engineio: Endpoint) -> None:
    """Nothing is lost or overtaken between the two transports, text or binary."""
    session = engineio.open_polling()
    websocket = session.websocket()
    with websocket:
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        sent: list[Any] = [f"4{number}" for number in range(40)]
        assert session.post("\x1e".join(sent) + "\x1ebAQID") == (200, "ok")
        # With the last word of the upgrade come further packets, in the same write.
        websocket.send(frame(1, b"5") + frame(1, b"4after") + frame(2, b"\x04"))
        assert [websocket.packet() for _ in range(43)] == [*sent, b"\x01\x02\x03", "4after", b"\x04"]


@pytest.mark.parametrize("said", [["4hello"], ["5"], ["2probe", "4hello"], ["2probe", "2probe"], ["2"]], ids=str)
def test_an_upgrade_that_goes_wrong_leaves_the_session_on_polling(engineio: Endpoint, said: list[str]) -> None:
    """The WebSocket is closed; polling goes on, and another upgrade may succeed."""
    session = engineio.open_polling()
    with session.websocket() as websocket:
        for each in said:
            websocket.send_text(each)
        assert websocket.end() == 1002
    assert session.post("4hello") == (200, "ok")
    assert session.poll() == (200, "4hello")
    with session.upgraded() as websocket:
        websocket.send_text("4again")
        assert websocket.packet() == "4again"


def test_an_upgrade_that_does_not_come_is_given_up(engineio: Endpoint) -> None:
    """A client that has probed and says nothing more: its WebSocket is closed, and it goes on polling."""
    session = engineio.open_polling()
    with session.websocket() as websocket:
        websocket.send_text("2probe")
        websocket.packet()
        while not select.select([websocket.socket], [], [], 0)[0]:
            # A client that upgrades may poll as often as it likes, and answers pings.
            status, packets = session.poll()
            assert status == 200
            if "2" in packets.split("\x1e"):
                session.post("3")
        assert websocket.end() == 1002
    assert session.post("4hello") == (200, "ok")


def test_a_session_ends_with_its_websocket_and_its_upgrade_with_the_session(engineio: Endpoint) -> None:
    """A CLOSE by polling while a WebSocket probes: that one is of no use any more."""
    session = engineio.open_polling()
    with session.websocket() as websocket:
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        assert session.post("1") == (200, "ok")
        websocket.send_text("5")
        assert websocket.end() == 1002
    assert session.is_over()


def test_websocket_pings_are_answered_beside_engineio(engineio: Endpoint) -> None:
    """Before the upgrade as after it, with what was in them."""
    session = engineio.open_polling()
    with session.websocket() as websocket:
        websocket.send(frame(PING, b"early"))
        assert websocket.receive() == (PONG, b"early")
        websocket.send_text("2probe")
        assert websocket.packet() == "3probe"
        websocket.send_text("5")
        websocket.send(frame(PING, b"late"))
        assert websocket.receive() == (PONG, b"late")
