"""The heartbeat: who answers stays, who does not goes, and who is not read is waited for."""

from collections.abc import Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

from services.gateway.edge import frames, heartbeat, metrics, wheel
from services.gateway.edge import session as edge_session
from services.gateway.edge.heartbeat import Heartbeat
from services.gateway.edge.limits import Limits
from services.gateway.edge.session import Reason, Session
from tests.support.edge import Clockwork, Ears, Wire

LIMITS = Limits(ping_interval=25, ping_timeout=20)


@pytest.fixture
def clockwork() -> Iterator[Clockwork]:
    """The loop of this test."""
    clock = Clockwork()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(wheel, "asyncio", clock))
        for module in (heartbeat, edge_session):
            stack.enter_context(mock.patch.object(module, "time", clock))
        yield clock


def _beating(limits: Limits = LIMITS) -> tuple[Session, Wire, Ears]:
    engine, wire = Ears(), Wire()
    session = Session(engine, "s", wire)
    Heartbeat(limits).add(session)
    return session, wire, engine


def test_a_client_that_answers_is_pinged_each_interval(clockwork: Clockwork) -> None:
    """A tick late at most each time, and never ended."""
    session, wire, _ = _beating()
    for count in range(1, 20):
        clockwork.pass_time(25.3)
        assert wire.writes == [frames.PING] * count
        session.receive("3")
    assert not session.closed


def test_a_client_that_does_not_answer_is_ended_after_the_timeout(clockwork: Clockwork) -> None:
    """Not before, and for the reason that handlers know."""
    session, _, engine = _beating()
    clockwork.pass_time(25.3)
    clockwork.pass_time(19.5)
    assert not session.closed
    clockwork.pass_time(1)
    assert session.closed
    assert engine.ends == [Reason.PING_TIMEOUT]


def test_a_client_whose_packets_we_do_not_read_is_waited_for(clockwork: Clockwork) -> None:
    """Its answer may be there. Once it is read again it has the timeout to be found.

    It is pinged meanwhile: the JavaScript client goes when it hears no ping for interval and timeout together.
    """
    session, wire, _ = _beating()
    clockwork.pass_time(25.3)
    session.hold()
    for count in range(2, 7):
        clockwork.pass_time(20.2)
        assert wire.writes == [frames.PING] * count
    assert not session.closed
    session.release()
    session.receive("3")
    clockwork.pass_time(24)
    assert not session.closed


def test_a_process_that_was_stopped_finds_no_answer_overdue(clockwork: Clockwork) -> None:
    """Half a minute in which it read nothing is not its clients' fault."""
    session, _, _ = _beating()
    clockwork.pass_time(26)
    clockwork.stand_still(30)
    clockwork.pass_time(1)
    assert not session.closed
    session.receive("3")
    clockwork.pass_time(25)
    assert not session.closed


def test_a_timeout_longer_than_the_interval_is_waited_for(clockwork: Clockwork) -> None:
    """A ping each timeout then."""
    session, wire, _ = _beating(Limits(ping_interval=2, ping_timeout=4))
    clockwork.pass_time(2.1)
    session.receive("3")
    clockwork.pass_time(4.1)
    assert wire.writes == [frames.PING] * 2
    assert not session.closed
    clockwork.pass_time(4.1)
    assert session.closed


def test_a_session_that_has_ended_is_not_pinged(clockwork: Clockwork) -> None:
    """And nothing is kept of it afterwards."""
    session, wire, _ = _beating()
    session.abort(Reason.CLIENT)
    clockwork.pass_time(60)
    assert wire.writes == []


def _round_trips() -> tuple[int, float]:
    """How many there were, and how many seconds they took together."""
    samples = {each.name: each.value for each in next(iter(metrics.ping_round_trip.collect())).samples}
    return int(samples["parley_gateway_ping_round_trip_seconds_count"]), samples[
        "parley_gateway_ping_round_trip_seconds_sum"
    ]


def test_how_long_an_answer_takes_is_counted(clockwork: Clockwork) -> None:
    """Once for each ping: an answer to none, or a second one, is no round trip."""
    session, _, _ = _beating()
    count, total = _round_trips()
    session.receive("3")
    clockwork.pass_time(30.4)  # for that the first ping comes a little later
    assert _round_trips()[0] == count
    before = session.beat
    session.receive("3")
    session.receive("3")
    assert _round_trips()[0] == count + 1
    assert _round_trips()[1] - total == pytest.approx(clockwork.now - before)
    assert 0 < clockwork.now - before < 0.5


def test_while_a_client_is_not_read_its_first_ping_counts(clockwork: Clockwork) -> None:
    """It is pinged again only so that it does not go."""
    session, wire, _ = _beating()
    count, total = _round_trips()
    clockwork.pass_time(25.3)
    session.hold()
    clockwork.pass_time(20.2)
    assert len(wire.writes) == 2
    session.release()
    session.receive("3")
    assert _round_trips()[0] == count + 1
    assert _round_trips()[1] - total > 20


def test_pings_are_counted_as_sent(clockwork: Clockwork) -> None:
    """A packet each, of as many bytes as its frame."""
    _beating()
    packets, size = metrics.sent_packets.value, metrics.sent_bytes.value
    clockwork.pass_time(25.3)
    assert (metrics.sent_packets.value - packets, metrics.sent_bytes.value - size) == (1, len(frames.PING))
