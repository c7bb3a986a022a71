"""However sessions end, their places are free again: nothing is left of who has been there."""

import random
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any, Final

import msgspec
import pytest
import socketio

from services.gateway.edge.limits import Limits
from services.gateway.edge.server import Server
from tests.conformance import server as servers
from tests.conformance.raw import Endpoint, RefusedError, WebSocket
from tests.conformance.serving import Serving
from tests.guards.target import LIMITS
from tests.support.waiting import DEADLINE_SECONDS

MOST: Final = 40
ADDRESSES: Final = ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
GATED: Final = msgspec.structs.replace(
    LIMITS,
    sessions_most=MOST,
    sessions_per_address_most=MOST // 2,
    trusted_proxies=("127.0.0.1",),
    ping_interval=0.5,
    ping_timeout=0.4,
)

PATIENT: Final = msgspec.structs.replace(GATED, connect_timeout=60.0, ping_interval=60.0)
"""Whoever came stays until all have come, however slow the machine is."""


class House:
    """A server with few places, which refuses some, and fails with others."""

    def __init__(self, limits: Limits = GATED) -> None:
        self._limits = limits
        self.seen: list[str] = []
        self.server: Server

    def serve(self) -> Any:
        """Its application."""
        self.server = Server(limits=self._limits)
        self.server.on("ask", lambda _sid: "yes")
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        return servers.application(("/socket.io/", self.server))

    def counts(self) -> tuple[int, dict[str, int]]:
        """How many sessions there are, and of which addresses."""
        return len(self.server.eio.sockets), dict(self.server.eio.gate.addresses)

    def _connect(self, _sid: str, environ: dict[str, str], auth: Any) -> None:
        self.seen.append(environ["REMOTE_ADDR"])
        if auth == {"be": "refused"}:
            raise socketio.exceptions.ConnectionRefusedError("no")
        if auth == {"be": "broken"}:
            raise RuntimeError("broken")

    def _disconnect(self, _sid: str, _reason: str) -> None:
        if random.random() < 0.1:
            raise RuntimeError("broken")


@pytest.fixture
def house() -> House:
    """With nobody in it."""
    return House()


@pytest.fixture
def endpoint(house: House) -> Iterator[Endpoint]:
    """Where it is."""
    with Serving(house.serve) as serving:
        yield Endpoint(serving.port, "/socket.io/")


def _until(house: House, expected: tuple[int, dict[str, int]]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while house.counts() != expected:
        assert time.monotonic() < deadline, house.counts()
        time.sleep(0.02)


def _websocket(endpoint: Endpoint, address: str) -> WebSocket:
    target = endpoint.target(transport="websocket")
    return WebSocket(endpoint.port, target, {"X-Forwarded-For": f"1.2.3.4, {address}"})


def _reset(websocket: WebSocket) -> None:
    websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    websocket.socket.close()


def _websocket_ends(endpoint: Endpoint, address: str, chance: random.Random) -> None:
    websocket = _websocket(endpoint, address)
    how = chance.choice(
        ["close", "reset", "garbage", "leave", "silence", "refused", "broken", "closing", "connected"]
    )
    said = {"garbage": "x", "leave": "1", "refused": '40{"be":"refused"}', "broken": '40{"be":"broken"}'}
    if how == "connected" or chance.random() < 0.3:
        websocket.send_text("40")
    if how in said:
        websocket.send_text(said[how])
    if how == "closing":
        websocket.send(b"\x88\x80\0\0\0\0")
    if how in {"silence", "refused", "broken", "garbage"} and chance.random() < 0.2:
        with suppress(AssertionError):
            websocket.end()  # the server gives it up
    if how == "reset":
        _reset(websocket)
    websocket.socket.close()


def _polling_ends(endpoint: Endpoint, chance: random.Random) -> None:
    session = endpoint.open_polling()
    how = chance.choice(["leave", "silence", "garbage", "connected", "upgraded", "half", "two polls"])
    if how == "leave":
        session.post("1")
    elif how == "garbage":
        session.post("x")
    elif how == "connected":
        session.post("40")
        session.poll()
    elif how == "upgraded":
        with session.upgraded() as websocket:
            websocket.send_text("40")
    elif how == "half":
        with session.websocket() as websocket:
            websocket.send_text("2probe")
    elif how == "two polls":
        with session.polls():
            session.poll()


@pytest.mark.parametrize("seed", range(3))
def test_no_place_is_lost(house: House, endpoint: Endpoint, seed: int) -> None:
    """Over either transport: refused, broken, half open, upgraded, reset, silent, malformed, failing handlers.

    Then everybody has gone, and nothing is known of any address; and all places can be taken again.
    """
    chance = random.Random(seed)
    refused = 0
    for _ in range(200):
        try:
            if chance.random() < 0.75:
                _websocket_ends(endpoint, chance.choice(ADDRESSES), chance)
            else:
                _polling_ends(endpoint, chance)
        except (RefusedError, AssertionError, ConnectionError, EOFError):
            refused += 1  # full for the moment, or ended while it spoke
        assert len(house.server.eio.sockets) <= MOST
    _until(house, (0, {}))
    assert refused < 150
    with ExitStack() as stack:
        for number in range(MOST):
            stack.enter_context(_websocket(endpoint, ADDRESSES[number % 2]))
        with pytest.raises(RefusedError) as caught:
            _websocket(endpoint, "192.0.2.9")
        assert caught.value.status == 503
    _until(house, (0, {}))


def test_an_address_has_its_places() -> None:
    """Behind a trusted proxy it is the one that the proxy vouches for; above them it is 429, for it alone."""
    house = House(PATIENT)
    with Serving(house.serve) as serving, ExitStack() as stack:
        endpoint = Endpoint(serving.port, "/socket.io/")
        for number in range(MOST // 2):
            stack.enter_context(_websocket(endpoint, f"2001:db8::{number:x}"))
        with pytest.raises(RefusedError) as caught:
            _websocket(endpoint, "2001:db8::ffff:1")
        assert caught.value.status == 429
        assert house.counts() == (MOST // 2, {"2001:db8::": MOST // 2})
        websocket = stack.enter_context(_websocket(endpoint, "192.0.2.7"))
        websocket.packet()
        websocket.send_text("40")
        websocket.packet()
        assert house.seen == ["192.0.2.7"]


def test_no_handshake_takes_a_place() -> None:
    """What is malformed is told so, however full it is."""
    house = House(PATIENT)
    with Serving(house.serve) as serving, ExitStack() as stack:
        endpoint = Endpoint(serving.port, "/socket.io/")
        for number in range(MOST):
            stack.enter_context(_websocket(endpoint, ADDRESSES[number % 2]))
        assert endpoint.request("GET", transport="websocket")[0] == 400
        assert endpoint.request("GET", transport="carrier-pigeon")[0] == 400
        assert endpoint.request("GET", transport="polling")[0] == 503


def test_whoever_sends_frames_without_end_is_read_more_slowly() -> None:
    """It is not closed, it waits; and meanwhile others are served."""
    house = House(msgspec.structs.replace(GATED, frames_per_second=50, ping_interval=30.0))
    with Serving(house.serve) as serving:
        endpoint = Endpoint(serving.port, "/socket.io/")
        with _connected(endpoint) as flooder, _connected(endpoint) as other:
            flooder.socket.setblocking(False)
            pongs, waits = b"\x81\x81\0\0\0\x003" * 10_000, 0
            deadline = time.monotonic() + DEADLINE_SECONDS
            while waits < 20:
                assert time.monotonic() < deadline, "it is not made to wait"
                try:
                    flooder.socket.send(pongs)
                    waits = 0
                except BlockingIOError:
                    waits += 1
                    time.sleep(0.02)
            other.send_text('420["ask"]')
            assert other.packet() == '430["yes"]'
            assert house.counts()[0] == 2


def _connected(endpoint: Endpoint) -> WebSocket:
    websocket = _websocket(endpoint, ADDRESSES[0])
    websocket.packet()
    websocket.send_text("40")
    assert str(websocket.packet()).startswith("40")
    return websocket
