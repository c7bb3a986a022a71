"""Places: an offset says of each room what the client has, and of no other room."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.gateway.recovery.places import OffsetError, Places
from wire.kept_sessions import KeptRoom

_told = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=20)


@given(told=_told)
def test_an_offset_says_what_was_told_of_each_room_until_then(told: list[tuple[str, int]]) -> None:
    """Whatever the order between rooms."""
    here, seqs = Places({}), dict.fromkeys("abc", 100)
    for room in "abc":
        here.enter(room, 100)
    kept = Places(here.lasting)
    offset = ""
    for room, step in told:
        seqs[room] += step
        offset = here.offset(room, seqs[room])
    assert {room: each.since for room, each in kept.proven(offset).rooms.items()} == seqs


def test_what_was_said_before_it_came_in_is_not_its_own() -> None:
    """Without an offset a client has what it had when it joined: from `after` on, if it named one that exists."""
    here = Places({})
    here.enter("plain", 7)
    here.begin("after", 3)
    here.enter("after", 7)
    here.begin("ahead", 9)
    here.enter("ahead", 7)
    assert {room: each.since for room, each in here.proven("").rooms.items()} == {"plain": 7, "after": 3, "ahead": 7}


def test_what_is_told_before_the_room_is_entered_counts() -> None:
    """As by a join with `after`, which breaks before it is acknowledged."""
    here = Places({})
    here.begin("r", 3)
    offset = here.offset("r", 5)
    here.enter("r", 7)
    assert here.proven(offset).rooms["r"].since == 5


def test_a_room_that_is_left_and_joined_again_is_another() -> None:
    """What an offset said of it before says nothing now; it is no longer in later offsets."""
    here = Places({})
    here.enter("r", 5)
    before = here.offset("r", 90)
    with here.leaving("r"):
        assert here.lasting == {}
        assert here.offset("r", 91) != before
    here.leave("r")
    here.enter("r", 6)
    assert here.proven(before).rooms["r"].since == 6
    assert here.offset("r", 7).count(".") == 0


def test_a_leave_that_fails_leaves_all_as_it_was() -> None:
    """The client is still in, and wants to be when it comes back; one of a room that it is not in changes nothing."""
    here = Places({})
    here.enter("r", 5)
    for room in ("r", "other"):
        with pytest.raises(RuntimeError), here.leaving(room):
            raise RuntimeError
    with here.leaving("later"):
        pass
    here.enter("later", 6)
    assert here.lasting.keys() == {"r", "later"}


def test_keys_are_the_sessions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """No two rooms of a session share one."""
    drawn = iter(["same", "same", "same", "else"])
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: next(drawn))
    here = Places({})
    here.enter("a", 1)
    here.enter("b", 1)
    assert [each.key for each in here.rooms.values()] == ["same", "else"]


@pytest.mark.parametrize("offset", ["x", "aaaa", "aaaag", "aaaa-1", "aaaa" + "f" * 16, "aaaa1..bbbb", "\N{SNOWMAN}"])
def test_an_offset_that_is_none_is_refused(offset: str) -> None:
    """Whoever made it up."""
    with pytest.raises(OffsetError):
        Places({"r": KeptRoom("aaaa", 1)}).proven(offset)


def test_an_offset_that_names_other_rooms_is_none_of_theirs() -> None:
    """As the last of an earlier session may."""
    assert Places({"r": KeptRoom("aaaa", 1)}).proven("bbbbff.ccccff").rooms["r"].since == 1


_offsets = st.one_of(
    st.text(),
    st.lists(st.from_regex(r"\A[a-c]{3,5}-?[0-9a-fA-F_ +]{0,20}\Z")).map(".".join),
)


@given(offset=_offsets)
@example(offset="aaaa" + "f" * 70_000)
@example(offset="." * 70_000)
@example(offset="aaaa8000000000000000")
@example(offset="aaaa\u0661")
def test_any_text_is_an_offset_or_an_offset_error(offset: str) -> None:
    """Nobody gets behind where their session began, or above what a seq can be."""
    places = Places({"a": KeptRoom("aaaa", 5), "b": KeptRoom("bbbb", 7)})
    try:
        proven = places.proven(offset)
    except OffsetError:
        return
    assert {room: kept.key for room, kept in proven.rooms.items()} == {"a": "aaaa", "b": "bbbb"}
    assert all(proven.rooms[room].since >= places.rooms[room].since for room in "ab")
    assert all(kept.since < 1 << 63 for kept in proven.rooms.values())
