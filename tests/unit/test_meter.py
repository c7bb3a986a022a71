"""How often a socket may do what: refused with the time to wait, and read more slowly if it goes on regardless."""

import pytest

from services.gateway import meter
from services.gateway.allowed import Allowed
from services.gateway.connection import Connection
from services.gateway.edge import pace
from services.gateway.edge.limits import Limits
from services.gateway.edge.metrics import limited
from services.gateway.edge.pace import Pace
from services.gateway.meter import Allowance, allowances
from tests.support.edge import Clockwork, Wire, connection
from wire.errors import ErrorCode, ParleyError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clockwork:
    """The time of meters and of the pace."""
    clock = Clockwork()
    monkeypatch.setattr(meter, "time", clock)
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "asyncio", clock)
    return clock


def paced(frames_per_second: float) -> tuple[Connection, Wire]:
    """A connection that may send so much."""
    made, wire = connection()
    made.session.owner.pace = Pace(Limits(frames_per_second=frames_per_second))
    return made, wire


def refusal(allowance: Allowance, of: Connection) -> ParleyError | None:
    """What is said about one more, if anything."""
    try:
        allowance.take(of)
    except ParleyError as error:
        return error
    return None


def counted(limit: str) -> float:
    """How often `limit` was met so far."""
    return float(limited.labels(limit=limit)._value.get())


@pytest.mark.parametrize("name", Allowed().rates)
def test_after_a_burst_it_is_refused_until_the_time_that_it_is_told(clock: Clockwork, name: str) -> None:
    """Everything by default: neither a millisecond too early nor later than told; others' sockets have their own."""
    per_second, burst = Allowed().rates[name]
    allowance = allowances(Allowed().rates)[name]
    (one, wire), (other, _) = connection(), connection()
    before = counted(name)
    assert all(refusal(allowance, one) is None for _ in range(burst))
    error = refusal(allowance, one)
    assert error is not None
    assert error.code is ErrorCode.RATE_LIMITED
    assert "too many" in error.message
    assert error.retry_after is not None
    assert 1 / per_second <= error.retry_after <= 1 / per_second + 0.0011
    assert counted(name) == before + 1
    clock.pass_time(error.retry_after - 0.002)
    assert refusal(allowance, one) is not None
    clock.pass_time(0.002)
    assert refusal(allowance, one) is None
    assert refusal(allowance, one) is not None
    assert refusal(allowance, other) is None
    assert wire.reading == []


def test_one_thing_does_not_use_up_another(clock: Clockwork) -> None:
    """A socket that types too much may send messages."""
    may = allowances(Allowed().rates)
    one, _ = connection()
    while refusal(may["typing"], one) is None:
        clock.pass_time(0)
    assert all(refusal(allowance, one) is None for name, allowance in may.items() if name != "typing")


def test_a_connection_that_does_nothing_has_no_buckets(clock: Clockwork) -> None:
    """Thousands are idle."""
    del clock
    one, _ = connection()
    assert one.buckets is None


def test_0_is_no_limit() -> None:
    """There is nothing to ask then."""
    assert allowances({"message": (0, 100)}) == {}


def test_whoever_goes_on_regardless_is_read_more_slowly(clock: Clockwork) -> None:
    """In bursts, at the rate of frames; it is read again by itself, is not closed, and what it said is not lost."""
    one, wire = paced(100)
    allowance = allowances({"message": (1, 1)})["message"]
    refused = 0
    while one.session.held is None:
        refused += refusal(allowance, one) is not None
    assert 100 < refused < 1000
    assert wire.reading == [False]
    one.session.receive("4late")
    assert list(one.session.held or ()) == ["4late"]
    clock.pass_time(0.3)
    assert wire.reading == [False, True]
    assert not one.session.closed
    refused = 0
    for _ in range(10_000):
        refused += one.session.held is None and refusal(allowance, one) is not None
        clock.pass_time(0.001)
    assert 200 < refused < 300, "each as if it were four frames"
    assert wire.reading.count(False) < 60, "in bursts"
    clock.pass_time(60)
    assert wire.reading[-1]


def test_a_socket_that_has_gone_is_not_read_again(clock: Clockwork) -> None:
    """Whatever was to be done about it."""
    one, wire = paced(1)
    one.session.owner.pace.took(one.session, 100)
    assert wire.reading == [False]
    one.session.close("transport close")
    clock.pass_time(60)
    assert wire.reading == [False]


@pytest.mark.parametrize("frames", [9, 100, 36_000])
def test_how_long_a_socket_rests(clock: Clockwork, frames: int) -> None:
    """As long as the rate wants it, but no longer than the time after which it is looked at again."""
    one, wire = paced(1)
    one.session.owner.pace.took(one.session, frames)
    assert wire.reading == [False]
    clock.pass_time(min(frames - 7, 20) - 0.01)
    assert wire.reading == [False]
    clock.pass_time(0.3)
    assert wire.reading == [False, True]


def test_no_rate_of_frames_is_no_limit(clock: Clockwork) -> None:
    """As tests and benchmarks have it."""
    one, wire = paced(0)
    one.session.owner.pace.took(one.session, 10**6)
    clock.turn()
    assert wire.reading == []
