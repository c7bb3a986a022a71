"""The ledger knows whether everything that was sent has arrived, and what is owed to a stay."""

from checker.account import Place
from checker.ledger import Ledger

ONE, TWO = Place(11, 7, "one"), Place(15, 11, "two")


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
