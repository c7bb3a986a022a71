"""How a run reads the histories of its rooms, from a real stack."""

from pathlib import Path

import pytest

from checker.account import Acknowledged, Place, Stay
from loadtests import verdict
from loadtests.facts import Facts
from loadtests.report import history
from loadtests.report.conclude import conclude
from loadtests.slo import Limits, Slo
from tests.support.clients.parley import PythonClient
from tests.support.load_facts import facts, run
from tests.support.stacks import TestStack, unique

MESSAGES = 230
"""More than a page."""


async def _talk(stack: TestStack, token: str, room: str) -> list[Place]:
    """One says all of it; what was acknowledged, as everybody must see it."""
    places: list[Place] = []
    async with PythonClient(stack.gateway_urls[0], token) as client:
        await client.join(room)
        for _ in range(MESSAGES):
            id = unique("m")
            said = await client.say(room, id)
            places.append(Place(said["seq"], places[-1].seq if places else 0, id))
    return places


async def test_rooms_are_read_from_their_beginning_and_the_run_is_judged_by_them(
    stack: TestStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All pages; then a message that was acknowledged and is not in the history is a loss, and ends with 1."""
    [token] = await stack.mint(1)
    room = unique("room")
    places = await _talk(stack, token, room)
    found, troubles = await history.read([stack.gateway_urls[1]], token, [room])
    assert (found, troubles) == ({room: places}, {})

    ran = facts()
    ran.account.acknowledged = [Acknowledged(room, each.seq, each.id) for each in places]
    ran.account.stays = [Stay("user-1", room, 0, list(places), lasted=True)]
    ran.account.history = {}
    known = run()
    known.slo = Slo({"message": Limits(p99_ms=500)})
    known.urls, known.token = stack.gateway_urls, token
    results = await conclude(ran, known, tmp_path / "good")
    assert results.ending.exit_code == 0, results.reasons
    assert (results.counts.acknowledged, results.counts.received) == (MESSAGES, MESSAGES)
    assert verdict.main([str(tmp_path / "good")]) == 0
    assert all(token.encode() not in each.read_bytes() for each in (tmp_path / "good").iterdir())

    ran.account.acknowledged.append(Acknowledged(room, places[-1].seq + 1, "never stored"))
    results = await conclude(ran, known, tmp_path / "bad")
    assert results.ending.exit_code == 1
    assert any("(history)" in each for each in results.counts.first)
    assert f"report: {tmp_path / 'bad' / 'report.html'}" in capsys.readouterr().out
    kept = Facts.read(tmp_path / "bad" / "facts.msgpack")
    assert kept.account.history == {room: places}


async def test_a_gateway_that_is_away_is_gone_around_and_none_at_all_is_told(
    stack: TestStack, unused_tcp_port: int
) -> None:
    """The next one answers; without any the run is told that it could not read, and why."""
    [token] = await stack.mint(1)
    room = unique("room")
    away = f"http://127.0.0.1:{unused_tcp_port}"
    found, troubles = await history.read([away, stack.gateway_urls[0]], token, [room])
    assert (found, troubles) == ({room: []}, {})
    found, troubles = await history.read([away], token, [room])
    assert found == {room: []}
    assert history.said(troubles)[0].startswith(f"the history of {room} could not be read: ")


async def test_a_system_that_is_gone_is_not_asked_for_every_room(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand rooms would take hours. Of none it is said that anything is missing."""
    monkeypatch.setattr(history, "_PAUSE_SECONDS", 0.01)
    rooms = [f"room-{number}" for number in range(1000)]
    found, troubles = await history.read([f"http://127.0.0.1:{unused_tcp_port}"], "token", rooms)
    assert found == {room: [] for room in rooms}
    assert troubles.keys() == set(rooms)
    lines = history.said(troubles)
    assert len(lines) < 20
    assert lines[-1].endswith("further rooms were not asked for any more")
