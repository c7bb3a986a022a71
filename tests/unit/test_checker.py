"""The checker: an honest account holds, and each planted violation is seen, as what it is."""

from collections.abc import Callable

import msgspec
import pytest

from checker.account import Account, Acknowledged, Place, Stay
from checker.judge import HISTORY, SHOWN_MOST, Kind, judge
from checker.received import Received
from checker.report import text

ONE, TWO, THREE = Place(11, 7, "one"), Place(15, 11, "two"), Place(16, 15, "three")


def honest() -> Account:
    """Three messages in a room that had one; the second reader joined after the first of them."""
    return Account(
        acknowledged=[Acknowledged("r", 7, "zero")]
        + [Acknowledged("r", each.seq, each.id, "sender") for each in (ONE, TWO, THREE)],
        stays=[
            Stay("early", "r", 7, [ONE, TWO, THREE], lasted=True),
            Stay("late", "r", 11, [TWO, THREE], lasted=True),
            Stay("idle", "elsewhere", 0, [], lasted=True),
            Stay("stranger", "r", member=False),
        ],
        unconfirmed={"maybe"},
        refused=2,
        history={"r": [Place(7, 0, "zero"), ONE, TWO, THREE]},
    )


def test_an_honest_account_holds() -> None:
    """Everybody received what came after they joined."""
    verdict = judge(honest())
    assert verdict.holds
    assert (verdict.acknowledged, verdict.deliveries, verdict.stays, verdict.stays_cut_off) == (4, 5, 4, 1)
    assert (verdict.sent, verdict.refused, verdict.unconfirmed) == (7, 2, 1)
    assert (verdict.expected, verdict.received) == (5, 5)
    assert (verdict.lost, verdict.duplicates, verdict.out_of_order) == (0, 0, 0)
    assert "exactly once" in text(verdict)


def compact(account: Account) -> Account:
    """The same as a ledger would have written it down, and somebody read it from a file."""
    stays = []
    for stay in account.stays:
        received = Received(account.log(stay.room))
        for place in stay.received:
            received.append(place)
        stays.append(msgspec.structs.replace(stay, received=received))
    return msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(account, stays=stays)), type=Account)


def _received(account: Account, stay: int = 0) -> list[Place]:
    received = account.stays[stay].received
    assert isinstance(received, list)
    return received


def _everybody_sees(account: Account, *places: Place) -> None:
    for received in (_received(account), _received(account, 1), account.history["r"]):
        received.extend(places)


PLANTED: dict[str, tuple[Callable[[Account], object], set[Kind]]] = {
    "last message lost": (lambda a: _received(a).pop(), {Kind.LOST_TAIL}),
    "middle message lost": (lambda a: _received(a).pop(1), {Kind.LOST_MIDDLE, Kind.HOLE}),
    "first message lost": (lambda a: _received(a).pop(0), {Kind.LOST_HEAD, Kind.HOLE}),
    "all messages lost": (lambda a: _received(a).clear(), {Kind.LOST_TAIL}),
    "lost, and prev made up": (
        lambda a: _received(a).__setitem__(slice(1, 3), [Place(16, 11, "three")]),
        {Kind.LOST_MIDDLE},
    ),
    "lost by resuming, and prev made up": (
        lambda a: _received(a).__setitem__(slice(0, 2), [Place(15, 7, "two")]),
        {Kind.LOST_HEAD},
    ),
    "seen twice": (lambda a: _received(a).append(THREE), {Kind.DUPLICATE}),
    "an older one in place of the last, and prev made up": (
        lambda a: _received(a).__setitem__(2, Place(11, 15, "one")),
        {Kind.DUPLICATE, Kind.LOST_TAIL},
    ),
    "the same in place of the last, and prev made up": (
        lambda a: _received(a, 1).__setitem__(1, Place(15, 15, "two")),
        {Kind.DUPLICATE, Kind.LOST_TAIL},
    ),
    "swapped": (lambda a: _received(a).reverse(), {Kind.OUT_OF_ORDER, Kind.HOLE}),
    "from before the join": (lambda a: _received(a).insert(0, Place(7, 0, "zero")), {Kind.OUT_OF_ORDER}),
    "wrong prev": (lambda a: _received(a).__setitem__(1, Place(15, 12, "two")), {Kind.HOLE}),
    "other seq than acknowledged": (lambda a: _received(a).__setitem__(2, Place(17, 15, "three")), {Kind.MISPLACED}),
    "never sent": (lambda a: _received(a).append(Place(20, 16, "ghost")), {Kind.UNKNOWN}),
    "refused, and stored": (lambda a: _everybody_sees(a, Place(20, 16, "refused")), {Kind.UNKNOWN}),
    "another room's": (lambda a: _received(a, 2).append(Place(11, 0, "one")), {Kind.UNKNOWN}),
    "seen by a stranger": (lambda a: _received(a, 3).append(ONE), {Kind.NOT_A_MEMBER}),
    "a sender's order turned": (
        lambda a: a.acknowledged.__setitem__(slice(2, 4), a.acknowledged[:1:-1]),
        {Kind.OUT_OF_ORDER},
    ),
    "acknowledged at two places": (
        lambda a: a.acknowledged.append(Acknowledged("r", 18, "three")),
        {Kind.MISPLACED},
    ),
    "not in history": (lambda a: a.history["r"].pop(), {Kind.LOST_TAIL}),
    "room not in history": (lambda a: a.history.pop("r"), {Kind.LOST_TAIL}),
    "twice in history": (lambda a: a.history["r"].append(THREE), {Kind.DUPLICATE}),
    "seen by one and not by all": (
        lambda a: _received(a).append(Place(20, 16, "maybe")),
        {Kind.LOST_TAIL},
    ),
    "unconfirmed, and there twice": (
        lambda a: _everybody_sees(a, Place(20, 16, "maybe"), Place(21, 20, "maybe")),
        {Kind.DUPLICATE, Kind.MISPLACED},
    ),
}


@pytest.mark.parametrize(("plant", "kinds"), PLANTED.values(), ids=PLANTED)
def test_each_planted_violation_is_seen(plant: Callable[[Account], object], kinds: set[Kind]) -> None:
    """And nothing else is."""
    account = honest()
    plant(account)
    verdict = judge(account)
    assert set(verdict.counts) == kinds
    assert not verdict.holds
    assert "BROKEN" in text(verdict)
    assert judge(compact(account)) == verdict


def test_a_history_that_could_not_be_read_to_its_end_has_lost_nothing() -> None:
    """Nobody knows. What is missing before the last that was read is missing all the same."""
    account = honest()
    account.history["r"].pop()
    account.unread = {"r"}
    assert judge(account).holds
    account.history["r"].pop(1)
    assert judge(account).counts == {Kind.LOST_MIDDLE: 1, Kind.HOLE: 1}
    account.history.clear()
    assert judge(account).holds


def test_what_was_cut_off_is_owed_no_last_message_and_no_hole() -> None:
    """A reader whose connection was lost may lack the end, but nothing between."""
    account = honest()
    account.stays[0] = Stay("early", "r", 7, [ONE])
    assert judge(account).holds
    account.stays[0] = Stay("early", "r", 7, [ONE, THREE])
    assert set(judge(account).counts) == {Kind.HOLE, Kind.LOST_MIDDLE}
    account.stays[0] = Stay("early", "r", None, [ONE, Place(16, 11, "three")])
    assert set(judge(account).counts) == {Kind.LOST_MIDDLE}, "also when its join was never acknowledged"


def test_what_a_truncated_join_left_out_is_owed_by_history() -> None:
    """A member who pages back gets all of it: the end is known."""
    account = honest()
    account.stays[0] = Stay("early", "r", 15, [THREE], lasted=True)
    account.stays.append(Stay("early", "r", 7, [ONE, TWO], upto=15))
    assert judge(account).holds
    _received(account, -1).pop()
    assert set(judge(account).counts) == {Kind.LOST_TAIL}


def test_an_unconfirmed_message_may_be_nowhere_or_everywhere() -> None:
    """Its outcome is unknown to the sender; it is the same for all readers."""
    account = honest()
    assert judge(account).holds
    _everybody_sees(account, Place(20, 16, "maybe"))
    assert judge(account).holds


@pytest.mark.parametrize("account", [Account(), Account(stays=[Stay("idle", "r", 0, lasted=True)])])
def test_nothing_acknowledged_shows_nothing(account: Account) -> None:
    """An empty run is no proof."""
    assert not judge(account).holds
    assert "NOTHING SHOWN" in text(judge(account))


def test_nobody_left_to_receive_shows_nothing() -> None:
    """When every stay was cut off, no message was owed to anybody."""
    account = honest()
    for stay in account.stays:
        stay.lasted = False
    assert not judge(account).holds


def test_violations_are_counted_and_the_first_are_shown() -> None:
    """The report stays short however much is wrong."""
    account = honest()
    account.acknowledged += [Acknowledged("r", 100 + number, f"lost-{number}") for number in range(1000)]
    verdict = judge(account)
    assert verdict.counts == {Kind.LOST_TAIL: 3000}
    assert (verdict.lost, verdict.expected, verdict.received) == (3000, 2005, 5)
    assert len(verdict.shown) == SHOWN_MOST
    assert "and 2980 more" in text(verdict)
    account.stays.clear()
    assert {each.reader for each in judge(account).shown} == {HISTORY}


@pytest.mark.parametrize("form", [honest, lambda: compact(honest())])
def test_without_a_senders_account_its_messages_are_strangers_and_adopted_they_are_owed(
    form: Callable[[], Account],
) -> None:
    """Of a process that was lost. Who did not receive what others of them did has lost it, all the same."""
    account = form()
    account.acknowledged = [each for each in account.acknowledged if each.id != "two"]
    assert judge(account).counts == {Kind.UNKNOWN: 3}
    account.adopt()
    assert judge(account).holds
    assert judge(account).unconfirmed == 2
    account.stays[1].received = [THREE]
    assert judge(account).counts == {Kind.LOST_HEAD: 1, Kind.HOLE: 1}
