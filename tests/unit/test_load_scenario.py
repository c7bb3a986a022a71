"""Who sits where in a load test: a token is one user's, rooms are shared, gateways alternate, seats become free."""

import itertools

from loadtests.scenario import BOARD_MEMBERS, ROOMS_EACH, Scenario

URLS = ["http://a", "http://b"]
TOKENS = [f"token-{number}" for number in range(100)]
KINDS = ("chat", "lurker", "storm", "dashboard", "browser")


def _scenario(*, rooms: int = 8, index: int = 0, count: int = 1) -> Scenario:
    return Scenario(URLS, TOKENS, rooms, run="r1", index=index, count=count)


def test_no_two_seats_of_a_run_have_a_token_or_a_name_in_common() -> None:
    """In whichever process and of whichever kind; and the tokens are the first ones, so as many as users will do."""
    processes = [_scenario(index=index, count=3) for index in range(3)]
    seats = [each.seat(kind) for each in processes for kind in KINDS for _ in range(4)]
    assert {seat.token for seat in seats} == set(TOKENS[: len(seats)])
    assert len({seat.name for seat in seats}) == len(seats)


def test_neighbours_of_a_kind_share_rooms_and_not_gateways() -> None:
    """So each room is on all gateways; each seat knows the others, for when its own does not answer."""
    scenario = _scenario()
    seats = [scenario.seat("chat") for _ in range(8)]
    for one, other in itertools.pairwise([*seats, seats[0]]):
        assert len(set(one.rooms) & set(other.rooms)) == ROOMS_EACH - 1
        assert one.urls[0] != other.urls[0]
    assert all(sorted(seat.urls) == URLS for seat in seats)
    rooms = [room for seat in seats for room in seat.rooms]
    assert {rooms.count(room) for room in rooms} == {ROOMS_EACH}


def test_the_rooms_are_the_runs_own_and_the_same_in_all_of_its_processes() -> None:
    """Named after the run; those who read along or come and go are where others chat."""
    rooms = {f"load-r1-{number}" for number in range(8)}
    for index in range(2):
        scenario = _scenario(index=index, count=2)
        for kind in ("chat", "browser", "lurker", "storm"):
            assert {room for _ in range(4) for room in scenario.seat(kind).rooms} <= rooms
    few = _scenario(rooms=2)
    assert few.seat("chat").rooms == ["load-r1-0", "load-r1-1"]


def test_dashboards_have_rooms_of_their_own_a_few_in_each() -> None:
    """Each hears the others ten times a second: a room of all would be load without end."""
    processes = [_scenario(index=index, count=2) for index in range(2)]
    boards = [room for each in processes for _ in range(10) for room in each.seat("dashboard").rooms]
    assert len(boards) == 20
    assert {boards.count(room) for room in boards} == {BOARD_MEMBERS}
    assert not any(room in boards for room in processes[0].seat("chat").rooms)


def test_a_seat_that_was_left_is_taken_again_with_message_ids_that_nobody_used() -> None:
    """So users may come and go without end, on as many tokens as there are at once."""
    scenario = _scenario()
    first, second = scenario.seat("chat"), scenario.seat("lurker")
    used = [first.next_id(), first.next_id()]
    scenario.leave(first)
    again = scenario.seat("chat")
    assert (again.token, again.name, again.rooms) == (first.token, first.name, first.rooms)
    assert again.next_id() not in used
    assert second.token != again.token
    assert scenario.seat("chat").token == TOKENS[2]


def test_it_is_settled_when_nobody_who_lost_a_connection_is_away() -> None:
    """Whoever is away owes the rest of a room, which no stay of theirs tells of."""

    class Line:
        is_open = False
        has_come = True
        lost_at: float | None = 100.0

        def drop(self) -> None:
            pass

    scenario, line = _scenario(), Line()
    assert scenario.is_settled
    scenario.lines.add(line)
    assert not scenario.is_settled
    assert (scenario.away(), scenario.away(99.0), scenario.away(100.0), scenario.coming) == (1, 0, 1, 0)
    line.lost_at, line.has_come = None, False
    assert scenario.is_settled
    assert (scenario.away(), scenario.coming) == (0, 1)
    scenario.ledger.sending("m1")
    assert not scenario.is_settled


def test_defects_of_the_load_test_are_kept_once_each_and_not_without_end() -> None:
    """With where they are; a handler may meet one with every message."""
    scenario = _scenario()
    for number in (1, 1, *range(100)):
        scenario.crashed(ValueError(f"number {number}"))
    assert scenario.crashes[:2] == ["ValueError: number 1", "ValueError: number 0"]
    assert len(scenario.crashes) == 20
