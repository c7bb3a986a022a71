"""Which pages may come in, and what their browsers are told (Fetch, 3.2)."""

import http.client
from collections.abc import Iterator

import pytest

from services.gateway.edge.engine import Engine
from tests.conformance import server
from tests.conformance.raw import RefusedError, WebSocket
from tests.conformance.serving import Serving

LISTED = "https://listed.example"
TARGET = "/engine.io/?EIO=4&transport="


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """An echo that admits one page beside its own."""

    def make() -> Engine:
        return Engine(
            limits=server.LIMITS, transports=server.TRANSPORTS, allowed_origins=(LISTED,), on_packet=server.echo
        )

    with Serving(lambda: server.application(("engine.io", make()))) as each:
        yield each


def request(serving: Serving, method: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """The answer to a request for a session."""
    connection = http.client.HTTPConnection(server.HOST, serving.port, timeout=10)
    try:
        connection.request(method, f"{TARGET}polling", headers=headers)
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, True),
        ({"Origin": "http://{host}"}, True),
        ({"Origin": "https://{host}"}, True),
        ({"Origin": LISTED}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://listed.example"}, False),
        ({"Origin": f"{LISTED}.evil.example"}, False),
        ({"Origin": "http://127.0.0.1"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, False),
        ({"Origin": "https://evil.example", "Forwarded": "host=evil.example;proto=https"}, False),
    ],
    ids=str,
)
def test_only_known_pages_come_in(serving: Serving, headers: dict[str, str], admitted: bool) -> None:  # noqa: FBT001
    """On both transports; no header that a proxy may add has a say."""
    filled = {name: value.format(host=f"{server.HOST}:{serving.port}") for name, value in headers.items()}
    response = request(serving, "GET", filled)
    assert response.status == (200 if admitted else 400)
    allowed = filled.get("Origin") if admitted else None
    assert response.headers.get("Access-Control-Allow-Origin") == allowed
    status = 101
    try:
        WebSocket(serving.port, f"{TARGET}websocket", filled).socket.close()
    except RefusedError as refused:
        status = refused.status
    assert status == (101 if admitted else 400)


def test_a_browser_may_ask_first(serving: Serving) -> None:
    """A preflight of a listed page is told what it may do, that of another page nothing."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    response = request(serving, "OPTIONS", {"Origin": LISTED, **asked})
    assert response.status == 200
    told = {name.lower(): value for name, value in response.headers.items() if name.lower().startswith("access-")}
    assert told == {
        "access-control-allow-origin": LISTED,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST, OPTIONS",
        "access-control-allow-headers": "content-type",
        "access-control-max-age": "600",
    }
    assert response.headers["Vary"] == "Origin"
    refused = request(serving, "OPTIONS", {"Origin": "https://evil.example", **asked})
    assert refused.status == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
