"""The ledger knows whether everything that was sent has arrived, and what is owed to a stay."""

from checker.account import Place, Stay
from checker.judge import Kind, judge
from checker.ledger import Ledger

ZERO, ONE, TWO, THREE = Place(7, 0, "zero"), Place(11, 7, "one"), Place(15, 11, "two"), Place(16, 15, "three")


def test_the_ledger_is_settled_once_all_that_was_acknowledged_has_come() -> None:
    """Not while an outcome is awaited, nor while a lasting stay lags behind."""
    ledger = Ledger()
    stay = ledger.arrives("reader", "r", None)
    ledger.joined(stay, 7, truncated=False)
    assert ledger.is_settled
    ledger.sending("one")
    assert not ledger.is_settled
    ledger.sent("r", 11, "one")
    assert not ledger.is_settled
    ledger.received(stay, ONE)
    assert ledger.is_settled
    ledger.sending("two")
    ledger.sent("r", 15, "two")
    ledger.cut_off(stay)
    assert ledger.is_settled
    assert ledger.account.unconfirmed == set()
    assert ledger.rooms == ["r"]


def test_the_ledger_waits_for_what_anybody_has_seen() -> None:
    """Also when its sender was never told of it: it is owed to all."""
    ledger = Ledger()
    one, two = ledger.arrives("one", "r", 7), ledger.arrives("two", "r", 7)
    for stay in (one, two):
        ledger.joined(stay, 7, truncated=False)
    ledger.received(one, ONE)
    assert ledger.behind() == [two]
    ledger.received(two, ONE)
    assert ledger.is_settled


def test_a_resumed_stay_is_owed_what_was_missed() -> None:
    """From the seq it asked for; when the oldest did not come, from the first that did."""
    ledger = Ledger()
    resumed, truncated = ledger.arrives("reader", "r", 7), ledger.arrives("reader", "r", 7)
    ledger.received(resumed, ONE)
    ledger.joined(resumed, 11, truncated=False)
    ledger.received(truncated, TWO)
    ledger.joined(truncated, 15, truncated=True)
    assert (resumed.after, truncated.after) == (7, 11)


def _resumed(*places: Place) -> tuple[Ledger, Stay]:
    """After the first of four messages, told so many of the others, with no answer to the join."""
    ledger = Ledger()
    for each in (ZERO, ONE, TWO, THREE):
        ledger.sending(each.id)
        ledger.sent("r", each.seq, each.id)
    ledger.account.history = {"r": [ZERO, ONE, TWO, THREE]}
    stay = ledger.arrives("reader", "r", 7)
    for each in places:
        ledger.received(stay, each)
    return ledger, stay


def test_what_may_have_been_left_out_is_asked_for_again_when_the_answer_was_lost() -> None:
    """It is no loss, for more may have been missed than is told at once; the next stay is held to all of it."""
    ledger, stay = _resumed(TWO, THREE)
    ledger.cut_off(stay)
    assert judge(ledger.account).counts == {}
    assert ledger.position(stay) == 7
    again = ledger.arrives("reader", "r", 7)
    ledger.received(again, THREE)
    ledger.joined(again, 16, truncated=False)
    assert judge(ledger.account).counts == {Kind.LOST_HEAD: 2, Kind.HOLE: 1}
    ledger, stay = _resumed(TWO, THREE)
    ledger.cut_off(stay)
    again = ledger.arrives("reader", "r", 7)
    ledger.received(again, THREE)
    ledger.joined(again, 16, truncated=True)
    assert judge(ledger.account).counts == {}


def test_what_came_last_on_a_connection_that_is_gone_may_come_late() -> None:
    """Handed to the ledger after it was told of the end."""
    ledger, stay = _resumed()
    ledger.cut_off(stay)
    assert ledger.position(stay) == 7
    ledger.received(stay, THREE)
    assert judge(ledger.account).counts == {}


def test_without_a_hole_or_over_the_same_connection_a_resume_is_held_to_all() -> None:
    """What came without a hole is not asked for again; whoever asks again at once goes on from the last that came."""
    ledger, stay = _resumed(ONE)
    ledger.cut_off(stay)
    assert ledger.position(stay) == 11
    assert judge(ledger.account).counts == {}
    ledger, stay = _resumed(TWO)
    ledger.asks_again(stay)
    assert ledger.position(stay) == 15
    assert judge(ledger.account).counts == {Kind.LOST_HEAD: 1, Kind.HOLE: 1}
    ledger, stay = _resumed(ONE, THREE)
    ledger.cut_off(stay)
    assert judge(ledger.account).counts == {Kind.LOST_MIDDLE: 1, Kind.HOLE: 1}


def test_a_ledger_waits_for_what_it_is_told_of() -> None:
    """Another process knows of newer messages; a lower seq is no news, and what ended is not waited for."""
    ledger = Ledger()
    one, two = ledger.arrives("one", "r", 7), ledger.arrives("two", "r", 7)
    for stay in (one, two):
        ledger.received(stay, ONE)
        ledger.joined(stay, 11, truncated=False)
    assert ledger.is_settled
    assert ledger.ends == {"r": 11}
    ledger.told({"r": 10, "elsewhere": 5})
    assert ledger.is_settled
    ledger.told({"r": 15})
    assert not ledger.is_settled
    assert ledger.ends == {"r": 15, "elsewhere": 5}
    assert ledger.behind() == [one, two]
    ledger.received(one, TWO)
    assert ledger.behind() == [two]
    assert not ledger.is_settled
    ledger.cut_off(two)
    assert ledger.is_settled
    again = ledger.arrives("two", "r", two.position)
    assert ledger.is_settled, "it is not known to be in the room"
    ledger.lasts(again)
    assert ledger.behind() == [again]


def test_a_ledger_counts_what_is_under_way_and_what_was_refused() -> None:
    """Each outcome ends it."""
    ledger = Ledger()
    for id in ("one", "two", "three"):
        ledger.sending(id)
    assert ledger.under_way == 3
    ledger.sent("r", 1, "one")
    ledger.refused("two")
    assert ledger.under_way == 1
    ledger.gave_up()
    assert ledger.under_way == 0
    assert (ledger.account.refused, ledger.account.unconfirmed) == (1, {"three"})
