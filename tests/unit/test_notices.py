"""What is kept for users is asked of history in few questions, and told to whoever is there to hear it."""

import asyncio
import json
from typing import Final

import pytest
import pytest_asyncio

from services.gateway import metrics, notices
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.notices import Notices
from services.gateway.roster import Roster
from tests.support.edge import Current, Wire, connection
from tests.support.stacks import unique
from tests.support.waiting import until
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User
from wire.notifications import USERS_AT_ONCE, GetNotifications, Kept, KeptFor, Notification

STORM: Final = 300


class History:
    """Answers with what is kept, once `goes_on`; or says that it is not there."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Notification]] = {}
        self.asked: list[list[str]] = []
        self.at_once_most = 0
        self.is_there = True
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.fits = USERS_AT_ONCE
        """Users in one answer."""
        self._at_once = 0

    async def __call__(self, question: GetNotifications) -> Kept:
        """See `history.notifications`."""
        self.asked.append(question.users)
        self._at_once += 1
        self.at_once_most = max(self.at_once_most, self._at_once)
        try:
            if not self.is_there:
                raise ParleyError(ErrorCode.UNAVAILABLE, "not there")
            have = [KeptFor(user, list(self.kept[user])) for user in question.users if user in self.kept]
            await self.goes_on.wait()
            return Kept(kept=have[: self.fits], left=[each.user for each in have[self.fits :]])
        finally:
            self._at_once -= 1


class World:
    """A gateway's `Notices`, and whoever connects to it."""

    def __init__(self) -> None:
        self.history = History()
        self.control = Current()
        self.roster = Roster()
        self.notices = Notices(self.history, self.control, self.roster, FanOut(0))

    def connect(self, user: str) -> tuple[Connection, Wire]:
        """One more connection of `user`."""
        made, wire = connection()
        made.bearer = Verified(user=User(id=user, display_name=user), session="s", expires_at=0, issued_at=0)
        self.roster.add(made)
        self.notices.begin(made)
        return made, wire

    def end(self, gone: Connection) -> None:
        """It is gone."""
        gone.has_ended = True
        self.roster.remove(gone)
        self.notices.end(gone)

    async def settle(self) -> None:
        """Until nothing is asked, or told, any more."""
        one = self.notices
        await until(lambda: not (one._waiting or one._asking or one._telling), "all to be asked and told")


@pytest_asyncio.fixture(loop_scope="session")
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """With pauses that a test can wait for."""
    monkeypatch.setattr(notices, "_SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(notices, "_LONGEST_PAUSE", 0.05)
    return World()


def _kept(*ids: str) -> list[Notification]:
    return [Notification(id=id, title="Hi", ts=at) for at, id in enumerate(ids)]


def _told(wire: Wire) -> list[str]:
    return [json.loads(str(packet)[2:])[1]["id"] for packet in wire.packets]


async def test_a_storm_of_clients_is_no_storm_of_questions(world: World) -> None:
    """So many users in each, few at once, and nobody twice; each is told what is theirs, oldest first."""
    users = [unique("u") for _ in range(STORM)]
    for user in users[::2]:
        world.history.kept[user] = _kept(f"{user}-1", f"{user}-2")
    before = metrics.notification_questions["ok",]
    wires = {user: world.connect(user)[1] for user in users}
    await world.settle()
    assert len(world.history.asked) == -(-STORM // USERS_AT_ONCE)
    assert metrics.notification_questions["ok",] - before == len(world.history.asked)
    assert sorted(user for each in world.history.asked for user in each) == sorted(users)
    assert world.history.at_once_most <= 4
    for at, user in enumerate(users):
        assert _told(wires[user]) == ([] if at % 2 else [f"{user}-1", f"{user}-2"])


async def test_a_user_of_several_devices_is_asked_about_once(world: World) -> None:
    """And all of them are told; one that comes while the question is under way is asked about again."""
    user = unique("u")
    world.history.kept[user] = _kept("n-1")
    wires = [world.connect(user)[1] for _ in range(3)]
    world.history.goes_on.clear()
    await until(lambda: world.history.asked == [[user]], "the question")
    world.history.kept[user] = _kept("n-1", "n-2")  # of which the others hear live
    _, late = world.connect(user)
    await until(lambda: len(world.history.asked) == 2, "another question")
    world.history.goes_on.set()
    await world.settle()
    assert [_told(each) for each in wires] == [["n-1"]] * 3
    assert _told(late) == ["n-1", "n-2"]


async def test_a_history_that_is_away_is_asked_again(world: World) -> None:
    """With pauses, a few questions at once, for as long as somebody is there to be told."""
    world.history.is_there = False
    users = [unique("u") for _ in range(STORM)]
    gone, stays = [[world.connect(user) for user in half] for half in (users[::2], users[1::2])]
    await until(lambda: len(world.history.asked) > 12, "it to be asked again")
    assert world.history.at_once_most <= 4
    for made, _ in gone:
        world.end(made)
    world.history.kept = {user: _kept("n-1") for user in users}
    world.history.is_there = True
    await world.settle()
    assert all(_told(wire) == ["n-1"] for _, wire in stays)
    assert not any(_told(wire) for _, wire in gone)


async def test_nobody_is_asked_about_who_has_gone_meanwhile(world: World) -> None:
    """Nor told; one that was told to go is not either."""
    user, other = unique("u"), unique("u")
    world.history.kept = {user: _kept("n-1"), other: _kept("n-1")}
    gone, _ = world.connect(user)
    world.end(gone)
    world.history.goes_on.clear()
    revoked, wire = world.connect(other)
    await until(lambda: len(world.history.asked) == 1, "the question")
    revoked.has_left = True
    world.history.goes_on.set()
    await world.settle()
    assert world.history.asked == [[other]]
    assert not wire.packets


async def test_what_was_read_on_another_device_meanwhile_is_not_told(world: World) -> None:
    """The answer was given before."""
    user = unique("u")
    world.history.kept[user] = _kept("n-1", "n-2")
    world.history.goes_on.clear()
    _, wire = world.connect(user)
    await until(lambda: len(world.history.asked) == 1, "the question")
    world.notices.on_dismissed(user, "n-1")
    world.notices.on_dismissed(unique("u"), "n-2")
    world.history.goes_on.set()
    await world.settle()
    assert _told(wire) == ["n-2"]


async def test_whoever_does_not_fit_into_an_answer_is_asked_about_again(world: World) -> None:
    """Until all are told."""
    users = [unique("u") for _ in range(5)]
    world.history.kept = {user: _kept("n-1") for user in users}
    world.history.fits = 2
    wires = [world.connect(user)[1] for user in users]
    await world.settle()
    assert [len(each) for each in world.history.asked] == [5, 3, 1]
    assert all(_told(each) == ["n-1"] for each in wires)


async def test_what_was_missed_is_made_good(world: World) -> None:
    """Nothing is told while it is not known who may be here; after that, all that is kept is."""
    user = unique("u")
    world.history.kept[user] = _kept("n-1")
    world.control.is_current = False
    _, wire = world.connect(user)
    await world.settle()
    assert (world.history.asked, wire.packets) == ([[user]], [])
    world.control.is_current = True
    world.notices.make_good([user])
    await world.settle()
    assert _told(wire) == ["n-1"]


async def test_a_slow_reader_is_told_as_fast_as_it_reads(world: World) -> None:
    """And nobody else waits for it."""
    slow, quick = unique("u"), unique("u")
    large = [Notification(id=f"n-{at}", title="Hi", ts=at, body="x" * 8_000) for at in range(100)]
    world.history.kept = {slow: large, quick: large}
    made, wire = world.connect(slow)
    wire.unsent = made.session.owner.limits.unsent_most
    _, other = world.connect(quick)
    await until(lambda: len(_told(other)) == 100, "the other to be told")
    assert 0 < len(_told(wire)) < 20
    wire.unsent = 0
    await world.settle()
    assert _told(wire) == _told(other)
