"""The judge, on random runs written down in the compact way, finds what a judge finds who knows no quick ways."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.account import Account, Place, Stay
from checker.judge import HISTORY, Kind, Violation, judge
from tests.support.told_world import ROOMS, World, acknowledged


def _stored(account: Account, room: str, readers: list[Stay]) -> dict[str, int]:
    stored: dict[str, int] = {}
    for each in acknowledged(account, room):
        stored.setdefault(each.id, each.seq)
    for reader in readers:
        for place in reader.received:
            if place.id in account.unconfirmed:
                stored.setdefault(place.id, place.seq)
    return stored


def _owed(stay: Stay, stored: dict[str, int]) -> dict[str, int]:
    """By the words of `Stay`, one message after the other."""
    seqs = [place.seq for place in stay.received]
    begin = stay.after + 1 if stay.after is not None else min(seqs, default=None)
    if not stay.member or begin is None:
        return {}
    return {
        id: seq
        for id, seq in stored.items()
        if seq >= begin and (stay.lasted or seq <= stay.upto or any(each >= seq for each in seqs))
    }


def _wrong(stay: Stay, stored: dict[str, int]) -> Iterator[tuple[Kind, Place]]:
    """By the words of `Kind`: each place against all that came before it, each owed message against all that came."""
    received = list(stay.received)
    for number, place in enumerate(received):
        before = received[:number]
        if not stay.member:
            yield Kind.NOT_A_MEMBER, place
            continue
        newest = max([each.seq for each in before] + ([] if stay.after is None else [stay.after]), default=None)
        if place.id not in stored:
            yield Kind.UNKNOWN, place
        if stored.get(place.id, place.seq) != place.seq:
            yield Kind.MISPLACED, place
        if any(each.id == place.id for each in before):
            yield Kind.DUPLICATE, place
        elif newest is not None and place.seq <= newest:
            yield Kind.OUT_OF_ORDER, place
        elif newest is not None and place.prev != newest:
            yield Kind.HOLE, place
    for id, seq in _owed(stay, stored).items():
        if all(place.id != id for place in received):
            is_older, is_newer = any(p.seq < seq for p in received), any(p.seq >= seq for p in received)
            kind = Kind.LOST_TAIL if not is_newer else Kind.LOST_MIDDLE if is_older else Kind.LOST_HEAD
            yield kind, Place(seq, 0, id)


def _found_the_long_way(account: Account) -> tuple[Counter[Violation], int]:
    found: Counter[Violation] = Counter()
    expected = 0
    for room in ROOMS:
        stays = [stay for stay in account.stays if stay.room == room]
        history = Stay(HISTORY, room, 0, account.history[room], lasted=True)
        stored = _stored(account, room, [*stays, history])
        expected += sum(len(_owed(stay, stored)) for stay in stays)
        for stay in (*stays, history):
            found.update(
                Violation(kind, stay.reader, room, place.seq, place.id) for kind, place in _wrong(stay, stored)
            )
    return found, expected


@settings(max_examples=200, deadline=None)
@given(random=st.randoms(use_true_random=True), lies=st.sampled_from([0, 1, 5, 30]), steps=st.integers(5, 120))
def test_the_quick_ways_of_the_judge_find_the_same(random: Random, lies: int, steps: int) -> None:
    """In what two processes wrote down and handed over, and in plain lists; and it is what is to be found."""
    world = World(random, lies)
    world.run(steps)
    compact, plain = world.compact(), world.plain()
    assert [list(each.received) for each in compact.stays] == [each.received for each in plain.stays]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checker.judge.SHOWN_MOST", 1_000_000)
        verdict = judge(compact)
        assert verdict == judge(plain)
    found, expected = _found_the_long_way(plain)
    assert Counter(verdict.shown) == found
    assert verdict.expected == expected
    if not verdict.counts:
        assert verdict.received == verdict.expected
    if not lies:
        assert not verdict.counts
