"""The small server, for all tests here."""

from collections.abc import Iterator

import pytest

from tests.conformance import server
from tests.conformance.raw import Endpoint
from tests.conformance.serving import Serving


@pytest.fixture(scope="session")
def small() -> Iterator[Serving]:
    """What the official suites run against."""
    with Serving(server.suites) as serving:
        yield serving


@pytest.fixture
def engineio(small: Serving) -> Endpoint:
    """Its Engine.IO server."""
    return Endpoint(small.port, "/engine.io/")


@pytest.fixture
def socketio(small: Serving) -> Endpoint:
    """Its Socket.IO server."""
    return Endpoint(small.port, "/socket.io/")
