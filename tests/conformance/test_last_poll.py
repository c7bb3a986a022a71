"""A polling session that the server ends: its client is told everything first, also when it is between two polls."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.edge import frames
from services.gateway.edge.limits import Limits
from services.gateway.edge.polling import Polling
from services.gateway.edge.session import Reason
from tests.conformance.features import Features
from tests.conformance.raw import Endpoint, PollingSession
from tests.support.clients.kinds import KINDS, client
from tests.support.waiting import until

# The Python clients leave their old sockets to the collector when they connect again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

SAID = 40
"""More than one poll takes."""


@pytest.fixture(params=[5.0, 0.5], ids=["patient", "hasty"])
def features(request: pytest.FixtureRequest) -> Iterator[Features]:
    """A server that waits so many seconds for a last poll."""
    with Features(Limits(ping_interval=5.0, ping_timeout=request.param, close_timeout=0.5)) as serving:
        yield serving
    gc.collect()


def _say_and_end(features: Features, sid: str, last: bytes) -> None:
    session = features.server.session_of(sid)
    assert session is not None

    async def work() -> None:
        for number in range(SAID):
            await features.server.emit("said", number, to=sid)
        session.close(Reason.SERVER, last=last)

    features.run(work())


def _connected(features: Features) -> tuple[PollingSession, str]:
    session = Endpoint(features.port, "/socket.io/").open_polling()
    assert session.post("40") == (200, "ok")
    status, packet = session.poll()
    assert (status, packet[:2]) == (200, "40")
    return session, features.joined[-1][1]


@pytest.mark.parametrize("last", [frames.CLOSE, frames.NOOP], ids=["close", "noop"])
@pytest.mark.parametrize("features", [30.0], indirect=True)
async def test_what_was_said_before_the_end_is_fetched_after_it(features: Features, last: bytes) -> None:
    """In as many polls as it takes; the last packet says how it ended, and then there is no such session."""
    session, sid = _connected(features)
    _say_and_end(features, sid, last)
    await until(lambda: features.left == [("/", sid, Reason.SERVER)], "the disconnect handler")
    assert session.post('42["echo"]')[0] == 400
    with pytest.raises(Exception, match="400"):
        session.websocket()
    packets: list[str] = []
    while len(packets) < SAID:
        status, payload = session.poll()
        assert status == 200
        packets += payload.split("\x1e")
    assert packets == [f'42["said",{number}]' for number in range(SAID)]
    assert session.poll() == (200, "1" if last == frames.CLOSE else "6")
    await until(lambda: not features.server.eio._last_polls._sessions, "it to be forgotten at once")
    assert session.poll()[0] == 400


@pytest.mark.parametrize("features", [30.0], indirect=True)
async def test_who_polls_when_it_ends_is_forgotten_at_once(features: Features) -> None:
    """That poll tells everything: nothing is kept for the one that does not come."""
    session, sid = _connected(features)
    polling = asyncio.create_task(asyncio.to_thread(session.poll))
    ended = features.server.session_of(sid)
    assert ended is not None
    transport = ended.transport
    assert isinstance(transport, Polling)
    await until(lambda: transport._poll is not None, "the poll")
    features.call(lambda: ended.close(Reason.SERVER, last=frames.CLOSE))
    assert await polling == (200, "1")
    await until(lambda: not features.server.eio._last_polls._sessions, "it to be forgotten at once")


@pytest.mark.parametrize("features", [0.5], indirect=True)
async def test_it_is_not_kept_for_ever(features: Features) -> None:
    """A client that does not come is forgotten after the ping timeout, with what waited for it."""
    session, sid = _connected(features)
    _say_and_end(features, sid, frames.CLOSE)
    engine = features.server.eio
    assert features.call(lambda: len(engine._entrance._backlog._behind)) == 1
    await until(lambda: not engine._last_polls._sessions, "it to be forgotten")
    assert not engine._entrance._backlog._behind
    assert session.poll()[0] == 400


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("features", [5.0], indirect=True)
async def test_official_clients_hear_all_of_it(features: Features, kind: str) -> None:
    """Before they hear of the end."""
    options: dict[str, Any] = {"transports": ["polling"]}
    async with client(kind, features.url, **options) as one:
        await one.is_connected()
        _say_and_end(features, features.joined[-1][1], frames.CLOSE)
        await until(lambda: bool(one.happened("disconnect")), "the client to know")
        assert one.heard("said") == [[number] for number in range(SAID)]
