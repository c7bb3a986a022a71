"""The account is small, and can be handed over, read again and added up."""

from typing import Any

import msgspec
import pytest

from checker.account import Account, Acknowledged, Place, Stay
from checker.judge import judge
from checker.ledger import Ledger
from checker.received import Log, Received

ROOM, MESSAGES, READERS = "r", 1000, 50
PLACES = [Place(number, number - 1, f"message-{number}") for number in range(1, MESSAGES + 1)]


def busy(first: int = 0, *, readers: int = READERS) -> Ledger:
    """All messages from that one on, acknowledged, and received by all."""
    ledger = Ledger()
    stays = [ledger.arrives(f"reader-{number}", ROOM, first) for number in range(readers)]
    for place in PLACES[first:]:
        ledger.sending(place.id)
        ledger.sent(ROOM, place.seq, place.id)
        for stay in stays:
            ledger.received(stay, Place(place.seq, place.prev, "".join(place.id)))
    for stay in stays:
        ledger.joined(stay, MESSAGES, truncated=False)
    return ledger


def test_a_reader_in_line_costs_two_numbers() -> None:
    """However many messages it received; and who is told one thing that others are not costs a few more."""
    ledger = busy()
    account = ledger.account
    assert account.logs == {ROOM: PLACES}
    received = [stay.received for stay in account.stays]
    assert all(isinstance(each, Received) and each.ranges == [0, MESSAGES] for each in received)
    odd = ledger.arrives("odd", ROOM, 0)
    told = [*PLACES[:500], Place(501, 7, "message-501"), *PLACES[501:], PLACES[3]]
    for place in told:
        ledger.received(odd, place)
    assert odd.received == told
    assert isinstance(odd.received, Received)
    assert odd.received.ranges == [0, 500, MESSAGES, MESSAGES + 1, 501, MESSAGES, 3, 4]


def test_what_was_received_reads_as_a_list() -> None:
    """Sized, in order of arrival, from both ends."""
    received = Received(Log())
    assert not received
    for place in (PLACES[1], PLACES[0], PLACES[0], PLACES[2]):
        received.append(place)
    assert (len(received), received[0], received[-1], received[1]) == (4, PLACES[1], PLACES[2], PLACES[0])
    assert list(received) == [*received] == received[:] == [PLACES[1], PLACES[0], PLACES[0], PLACES[2]]
    assert received[-2:] == [PLACES[0], PLACES[2]]
    assert received != PLACES[:4]
    for index in (4, -5):
        with pytest.raises(IndexError):
            received[index]
    with pytest.raises(IndexError):
        Received(Log())[-1]


@pytest.mark.parametrize("codec", [msgspec.msgpack, msgspec.json])
def test_an_account_is_written_and_read_again(codec: Any) -> None:
    """And goes on where it was: what is received then belongs to the same log."""
    account = busy().account
    account.stays.append(Stay("by hand", ROOM, 0, PLACES[:2], upto=2))
    written = codec.encode(account)
    assert len(written) < 4 * len(codec.encode(PLACES)), f"of {READERS} times as many deliveries"
    again = codec.decode(written, type=Account)
    assert again == account
    assert judge(again) == judge(account)
    for place in (PLACES[-1], Place(2000, MESSAGES, "new"), Place(2001, 2000, "newer")):
        again.stays[0].received.append(place)
    assert again.stays[0].received[-3:] == [PLACES[-1], Place(2000, MESSAGES, "new"), Place(2001, 2000, "newer")]
    assert len(again.logs[ROOM]) == MESSAGES + 2


@pytest.mark.parametrize("ranges", [[0], [0, 4], [2, 2], [2, 1], [-1, 2], [0, 1, 1]])
def test_an_account_whose_stays_received_what_is_in_no_log_is_refused(ranges: list[int]) -> None:
    """A file that was cut or changed is not judged as if it were whole."""
    stay = Stay("reader", ROOM, 0, Received(Log(), ranges))
    written = msgspec.to_builtins({"stays": [stay], "logs": {ROOM: PLACES[:3]}})
    with pytest.raises(msgspec.ValidationError, match="reader received in r what is not in its log"):
        msgspec.convert(written, Account)


def test_accounts_of_several_processes_are_added_up() -> None:
    """What more than one of them saw is kept once, and everybody received what they had received."""
    whole = Account()
    for first in (500, 0, 700):
        whole.add(msgspec.msgpack.decode(msgspec.msgpack.encode(busy(first).account), type=Account))
    assert sorted(whole.logs[ROOM], key=lambda each: each.seq) == PLACES
    assert [len(stay.received) for stay in whole.stays] == [500] * READERS + [MESSAGES] * READERS + [300] * READERS
    assert whole.stays[READERS].received == PLACES
    assert all(isinstance(each.received, Received) and len(each.received.ranges) <= 4 for each in whole.stays)
    elsewhere = Ledger()
    elsewhere.sending("refused")
    elsewhere.refused("refused")
    elsewhere.sending("unknown")
    elsewhere.gave_up()
    elsewhere.sending("other")
    elsewhere.sent("s", 3, "other")
    elsewhere.received(elsewhere.arrives("reader", "s", 0), Place(3, 0, "other"))
    whole.add(elsewhere.account)
    assert (whole.refused, whole.unconfirmed, whole.rooms) == (1, {"unknown"}, [ROOM, "s"])
    assert whole.acknowledged[-1] == Acknowledged("s", 3, "other")
    assert whole.stays[-1].received == [Place(3, 0, "other")]
