"""The small server, for all tests here."""

from collections.abc import Iterator

import pytest

from tests.conformance import server
from tests.conformance.raw import Endpoint
from tests.conformance.rfc6455 import LIMITS, Writes, chopped, separately, together
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


@pytest.fixture(scope="module")
def echo() -> Iterator[Endpoint]:
    """An Engine.IO server that echoes."""
    with Serving(lambda: server.application(("engine.io", server.engineio(LIMITS)))) as serving:
        yield Endpoint(serving.port)


@pytest.fixture(params=[separately, together, chopped], ids=lambda writes: writes.__name__)
def writes(request: pytest.FixtureRequest) -> Writes:
    """How frames are cut into writes."""
    cut: Writes = request.param
    return cut
