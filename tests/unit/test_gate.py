"""The gate: who may open a session, and who has to come later."""

import pytest

from services.gateway.edge import gate as gates
from services.gateway.edge.addresses import counted
from services.gateway.edge.gate import Gate
from services.gateway.edge.limits import Limits
from services.gateway.edge.metrics import limited
from services.gateway.edge.session import Session
from tests.support.edge import Clockwork, Ears, Wire


class House:
    """Sessions behind a gate."""

    def __init__(self, **limits: float) -> None:
        self.sessions: dict[str, Session] = {}
        self.gate = Gate(Limits(**limits), self.sessions)  # type: ignore[arg-type]

    def come(self, address: str = "192.0.2.1") -> str | None:
        """Why not, if not: the status, and what it says."""
        refusal = self.gate.turn_away(address)
        if refusal is not None:
            assert refusal.retry_after > 0
            return f"{refusal.status} {refusal.message}"
        session = Session(Ears(), str(len(self.sessions)), Wire())
        session.address = counted(address)
        self.sessions[session.sid] = session
        self.gate.opened(session)
        return None

    def leave(self) -> None:
        """One of them."""
        self.gate.ended(self.sessions.popitem()[1])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clockwork:
    """The gate's time."""
    clock = Clockwork()
    monkeypatch.setattr(gates, "time", clock)
    return clock


def test_by_default_everybody_comes_in() -> None:
    """The edge by itself has no limits; nothing is counted by address then."""
    house = House()
    assert {house.come() for _ in range(2000)} == {None}
    assert not house.gate.addresses
    assert not house.gate.is_full


def test_a_gateway_is_full() -> None:
    """Until one leaves."""
    house = House(sessions_most=3)
    assert [house.come() for _ in range(4)] == [None, None, None, "503 this gateway is full"]
    assert house.gate.is_full
    house.leave()
    assert not house.gate.is_full
    assert house.come() is None


def test_an_address_has_too_many() -> None:
    """Other addresses come in; whoever shares the first half of an IPv6 address counts as one."""
    house = House(sessions_per_address_most=2)
    first, second = "2001:db8:0:1::1", "2001:db8:0:1:ffff::2"
    assert [house.come(first), house.come(second)] == [None, None]
    assert house.come("2001:db8:0:1::3") == "429 too many connections from this address"
    assert house.come("2001:db8:0:2::1") is None
    assert house.come("192.0.2.1") is None
    house.leave()
    house.leave()
    house.leave()
    assert house.come(first) is None
    house.leave()
    house.leave()
    assert not house.gate.addresses, "whoever has none takes no place"


def test_a_storm_comes_in_at_a_steady_rate(clock: Clockwork) -> None:
    """A burst, and then as many a second as configured, however many try; each is told another time."""
    house = House(handshakes_per_second=50, handshake_burst=20)
    before = limited.labels(limit="handshakes")._value.get()
    assert [house.come() for _ in range(25)].count(None) == 20
    admitted = 0
    for _ in range(1000):
        clock.pass_time(0.01)
        admitted += [house.come() for _ in range(5)].count(None)
    assert 495 <= admitted <= 501
    assert limited.labels(limit="handshakes")._value.get() == before + 5 + 5000 - admitted
    waits = {round(later.retry_after, 3) for _ in range(50) if (later := house.gate.turn_away("x")) is not None}
    assert len(waits) > 25


def test_whoever_is_refused_does_not_cost_the_others_their_turn(clock: Clockwork) -> None:
    """An address that has too many, and a gateway that is full, leave the rate alone."""
    house = House(handshakes_per_second=1, handshake_burst=3, sessions_per_address_most=1, sessions_most=2)
    assert house.come("192.0.2.1") is None
    assert {house.come("192.0.2.1") for _ in range(10)} == {"429 too many connections from this address"}
    assert house.come("192.0.2.2") is None
    assert {house.come(f"192.0.3.{number}") for number in range(10)} == {"503 this gateway is full"}
    house.leave()
    assert house.come("192.0.2.3") is None
    house.leave()
    assert house.come("192.0.2.4") == "503 too many clients connect at once"
    clock.pass_time(1)
    assert house.come("192.0.2.4") is None
