"""What the conductor knows of those who play the users."""

from typing import Any

import msgspec
import pytest

from loadtests import kinds
from loadtests.facts import Facts, Usage
from loadtests.roster import Roster
from loadtests.timeline import Timeline


def _report(player: int, **changes: Any) -> dict[str, Any]:
    report = {
        "player": player,
        "mark": 0,
        "timeline": msgspec.msgpack.encode(Timeline()),
        "ends": {},
        "settled": False,
    }
    return {**report, "connected": 0, "coming": 0, "away": 0, "usage": None, "host": "here", **changes}


def _parts(player: int, facts: Facts, size: int) -> list[dict[str, Any]]:
    data = msgspec.msgpack.encode(facts)
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return [{"player": player, "n": n, "parts": len(parts), "data": part} for n, part in enumerate(parts)]


def test_what_players_tell_is_added_up() -> None:
    """Connections, timelines, and the newest seq that anybody knows of in each room."""
    roster = Roster()
    for player, seq in ((0, 5), (1, 4)):
        timeline = Timeline()
        timeline.took(kinds.MESSAGE, 0.01, 100.0)
        told = msgspec.msgpack.encode(timeline)
        roster.reported(
            _report(
                player, connected=10, coming=player, away=5, ends={"room": seq, f"room-{player}": 1}, timeline=told
            )
        )
    assert (roster.connected({0, 1}), roster.connected({1})) == (20, 10)
    assert (roster.coming({0, 1}), roster.away({0, 1}), roster.away({1})) == (1, 10, 5)
    assert roster.ends == {"room": 5, "room-0": 1, "room-1": 1}
    assert roster.recent(103.0, 5.0).total(kinds.MESSAGE).succeeded == 2
    assert not roster.recent(110.0, 5.0).seconds


def test_settled_are_those_who_say_so_after_they_have_heard_the_news() -> None:
    """A report may have been on its way when something was said, and one player does not speak for another."""
    roster = Roster()
    roster.reported(_report(0, settled=True))
    assert roster.are_settled({0})
    roster.mark = 2
    roster.reported(_report(0, settled=True, mark=1))
    assert not roster.are_settled({0})
    roster.reported(_report(0, settled=True, mark=2))
    assert roster.are_settled({0})
    assert not roster.are_settled({0, 1})
    roster.reported(_report(0, settled=False, mark=2))
    assert not roster.are_settled({0})


def test_facts_come_in_parts_and_in_any_order() -> None:
    """And are whole when all parts are there."""
    roster = Roster()
    parts = _parts(3, Facts(settled=True, crashes=["a" * 100]), 30)
    assert len(parts) > 3
    for part in reversed(parts[1:]):
        roster.handed_over(part)
    assert roster.missing({3}) == [3]
    roster.handed_over(parts[0])
    assert roster.missing({3}) == []
    assert roster.players[3].facts == Facts(settled=True, crashes=["a" * 100])


def test_what_is_no_facts_is_told() -> None:
    """A worker of another version."""
    with pytest.raises(msgspec.MsgspecError):
        Roster().handed_over({"player": 0, "n": 0, "parts": 1, "data": b"\xc1"})


def test_what_each_uses_is_kept() -> None:
    """By the names that the players themselves have; who is busiest now is shown."""
    roster = Roster()
    for player, percents in ((1, (95, 20)), (0, (10, 30))):
        for second, percent in enumerate(percents):
            usage = Usage(at=100 + second, cpu_percent=percent, memory_bytes=1)
            roster.reported(_report(player, usage=msgspec.msgpack.encode(usage)))
    assert roster.cpu_percent == 30
    used = {each.name: [usage.cpu_percent for usage in each.usage] for each in roster.generators}
    assert used == {"generator-1": [10, 30], "generator-2": [95, 20]}
