"""A session: packets in their turn, held and let go, and one end."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.edge import frames
from services.gateway.edge.session import PONG_CAME, Reason, Session
from tests.support.edge import Ears, Wire


def _session(engine: Ears | None = None) -> tuple[Session, Wire, Ears]:
    engine, wire = engine or Ears(), Wire()
    return Session(engine, "s", wire), wire, engine


def test_packets_that_come_while_it_is_held_are_handled_afterwards_in_order() -> None:
    """The transport is paused once and resumed once, however often it is held."""
    session, wire, engine = _session()
    session.hold()
    session.hold()
    for number in range(3):
        session.receive(f"4{number}")
    session.release()
    assert (engine.packets, wire.reading) == ([], [False])
    session.release()
    assert engine.packets == ["40", "41", "42"]
    assert wire.reading == [False, True]
    session.receive("43")
    assert engine.packets[-1] == "43"


@given(st.lists(st.sampled_from(["plain", "hold", "brief"]), max_size=20), st.data())
def test_whatever_is_held_for_order_is_kept(kinds: list[str], data: st.DataObject) -> None:
    """Packets that hold what comes behind them, or hold it and let go at once, while others come."""
    holding = 0

    def on_packet(session: Session, packet: str | bytes) -> None:
        nonlocal holding
        kind = kinds[int(packet[1:])]
        if kind != "plain":
            session.hold()
        if kind == "brief":
            session.release()
        holding += kind == "hold"

    session, wire, engine = _session(Ears(on_packet))
    for number in range(len(kinds)):
        session.receive(f"4{number}")
        while holding and data.draw(st.booleans()):
            holding -= 1
            session.release()
    while holding:
        holding -= 1
        session.release()
    assert engine.packets == [f"4{number}" for number in range(len(kinds))]
    assert (session.holds, session.held) == (0, None)
    assert wire.reading[-1:] in ([], [True])


def test_an_answer_to_a_ping_is_never_held() -> None:
    """It says that the client is there, whatever else waits."""
    session, _, engine = _session()
    session.hold()
    session.receive("3")
    assert session.beat == PONG_CAME
    session.release()
    assert engine.packets == []


def test_what_was_held_when_it_ended_is_dropped() -> None:
    """Nothing is handled any more, and nothing is written."""
    session, wire, engine = _session()
    session.hold()
    session.receive("40")
    session.close(Reason.SERVER, last=frames.CLOSE, code=1001)
    session.release()
    session.receive("41")
    session.write(frames.PING)
    assert engine.packets == []
    assert (wire.writes, wire.last) == ([], (frames.CLOSE, 1001))


def test_a_packet_that_ends_the_session_is_the_last_that_is_handled() -> None:
    """What was held behind it is not."""
    session, _, engine = _session(Ears(lambda session, _: session.abort(Reason.SERVER)))
    session.hold()
    session.receive("40")
    session.receive("41")
    session.release()
    assert engine.packets == ["40"]


def test_it_ends_once() -> None:
    """Whoever ends it first says why."""
    session, wire, engine = _session()
    session.abort(Reason.PING_TIMEOUT)
    session.close(Reason.SERVER)
    session.end(Reason.TRANSPORT_CLOSE)
    assert engine.ends == [Reason.PING_TIMEOUT]
    assert (wire.aborted, wire.last) == (True, None)


def test_packets_that_are_none_are_told_of() -> None:
    """A stray NOOP is not one of them, and a CLOSE ends the session."""
    session, wire, engine = _session()
    session.receive("6")
    session.receive(b"\x00")
    assert (engine.packets, engine.malformed_sessions) == ([b"\x00"], [])
    session.receive("9")
    assert engine.malformed_sessions == [session]
    session.receive("1")
    assert engine.ends == [Reason.CLIENT]
    assert wire.last == (frames.NOOP, 1000)
