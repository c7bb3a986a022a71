"""The holder's parts that need no connection: when messages are due, who holds whom, how failures are called."""

import itertools
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local import haproxy
from loadtests import kinds
from loadtests.connections import own, run
from loadtests.connections.book import Book
from loadtests.connections.holder import _turns
from loadtests.connections.options import Options, parse
from loadtests.connections.outbox import NOT_SENT, UNDER_WAY_MOST, Outbox
from loadtests.connections.own import System
from loadtests.connections.pace import Pace, steps


def options(*arguments: str) -> Options:
    """As the command has them."""
    return parse(arguments, None)


def test_messages_are_due_evenly_however_rarely_one_looks() -> None:
    """Their times are those of the rate, not those of the looks: what waited has waited since then."""
    pace = Pace()
    pace.set(10, 100.0)
    assert pace.due(100.0) == [100.0]
    assert pace.due(100.05) == []
    assert pace.due(100.35) == pytest.approx([100.1, 100.2, 100.3])
    assert len(pace.due(110.0)) == 97


@settings(deadline=None)  # up to fifty thousand looks
@given(
    rates=st.lists(st.floats(1, 1000), min_size=1, max_size=5),
    looks=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=20),
)
def test_as_many_are_due_as_the_rates_say(rates: list[float], looks: list[float]) -> None:
    """Of each rate in turn, for ten seconds; never two for one moment, never in the past of one before."""
    pace, now, found = Pace(), 0.0, list[float]()
    looking = itertools.cycle(looks)
    for rate in rates:
        found += pace.due(now)
        pace.set(rate, now)
        end = now + 10
        while now < end:
            now = min(end, now + next(looking))
            found += pace.due(now)
    assert found == sorted(set(found))
    assert len(found) == pytest.approx(sum(10 * rate for rate in rates), abs=len(rates) + 1)


def test_a_rate_of_nothing_is_silence() -> None:
    """Until there is one again."""
    pace = Pace()
    assert pace.due(1e9) == []
    pace.set(5, 0.0)
    assert len(pace.due(1.0)) == 6
    pace.set(0, 1.0)
    assert pace.due(100.0) == []
    pace.set(5, 100.0)
    assert pace.due(100.0) == [100.0]


def test_paces_take_turns() -> None:
    """Two holders of a message a second each: one every half second."""
    first, second = Pace(0.0), Pace(0.5)
    for each in (first, second):
        each.set(1, 0.0)
    assert sorted(first.due(2.9) + second.due(2.9)) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])


def test_steps_go_up_by_a_quarter() -> None:
    """In numbers that can be read."""
    assert steps(200, 1.25, 5) == [200, 250, 312, 391, 488]
    assert steps(1, 1.25, 3) == [1, 1.25, 1.56]


@given(connections=st.integers(1, 400), size=st.integers(1, 40), processes=st.integers(1, 8))
def test_each_holder_has_whole_rooms(connections: int, size: int, processes: int) -> None:
    """All connections are held by one of them, with a token each, and no room by two."""
    chosen = options(
        "--connections", str(connections), "--room-size", str(size), "--processes", str(min(processes, connections))
    )
    tokens = [f"token-{number}" for number in range(connections)]
    setups = run._setups(chosen, System(["http://h:1"], [], {}, tokens, ""), "run")
    assert [token for each in setups for token in each.tokens] == tokens
    assert all(each.first % chosen.room_size == 0 for each in setups)
    assert all(each.tokens for each in setups)
    assert sum(each.connect_rate for each in setups) == pytest.approx(150)


@given(seats=st.integers(1, 200), size=st.integers(1, 30))
def test_all_speak_in_turn_in_one_room_after_the_other(seats: int, size: int) -> None:
    """Each once; as long as there are rooms, the next is in another."""
    turns = _turns(seats, size)
    assert sorted(turns) == list(range(seats))
    if seats > size:
        assert all(one // size != other // size for one, other in itertools.pairwise(turns[: seats // size]))


def test_an_own_system_is_reached_from_as_many_addresses_as_it_takes() -> None:
    """Of a deployment, only those that were given are known to be good."""
    assert own.sources(options()) == []
    assert own.sources(options("--connections", "60000")) == ["127.0.0.2", "127.0.0.3", "127.0.0.4"]
    elsewhere = ["--url", "http://h:1", "--tokens", "f", "--connections", "60000"]
    assert own.sources(options(*elsewhere)) == []
    assert own.sources(options(*elsewhere, "--source", "10.0.0.1")) == ["10.0.0.1"]


async def test_what_is_due_above_the_bound_is_not_sent_and_counts_as_failed() -> None:
    """One that waits for a connection is under way, and its outcome unknown; beyond the bound there is none."""
    book = Book("here")
    outbox = Outbox("me", "room", book)
    outbox.say(1.0)
    assert (book.under_way, book.ledger.account.unconfirmed) == (1, {"me-1"})
    book.under_way = UNDER_WAY_MOST
    outbox.say(2.0)
    assert (book.under_way, book.ledger.account.unconfirmed) == (UNDER_WAY_MOST, {"me-1"})
    assert book.timeline.total(kinds.MESSAGE).failures == {NOT_SENT: 1}


def test_options_have_bounds_and_sense(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not good ends the command with 2, and says what it is."""
    assert options().plan.rate == 200
    assert options("--connections", "5").room_size == 5
    for bad in (
        ["--connections", "0"],
        ["--url", "http://h:1"],
        ["--tokens", "f"],
        ["--step-seconds", "3", "--skipped-seconds", "3"],
        ["--connections", "2", "--processes", "3"],
        ["--shape", "spike"],
        ["--metrics", "http://h:1/metrics"],
    ):
        with pytest.raises(SystemExit) as ended:
            options(*bad)
        assert ended.value.code == 2
        assert bad[0] in capsys.readouterr().err


def test_there_are_as_many_proxies_as_their_files_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two for each connection, and a quarter more than an even share."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 20_000))
    assert [haproxy.how_many(number) for number in (1, 7_000, 10_000, 40_000)] == [1, 1, 2, 6]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, resource.RLIM_INFINITY))
    assert haproxy.how_many(1_000_000) == 1


def test_the_proxies_configuration_is_composes_but_for_addresses() -> None:
    """Nothing of the engine's DNS is left in what is used, and nothing else is changed."""
    compose = Path(haproxy.__file__).parents[1] / "compose" / "haproxy.cfg"
    before = compose.read_text().splitlines()
    after = haproxy.configuration([haproxy.Server(1001, 1002), haproxy.Server(1003, 1004)], 1005, 1006).splitlines()
    servers = ["    server gateway0 127.0.0.1:1001 port 1002", "    server gateway1 127.0.0.1:1003 port 1004"]
    assert [line for line in after if line not in before] == [
        "    default-server check inter 1s fall 2 rise 1",
        "    bind 127.0.0.1:1005",
        *servers,
        *servers,
        "    bind 127.0.0.1:1006",
    ]
    assert len(before) - len([line for line in after if line in before]) == 5
