"""Whoever becomes a member, or is none any more, is told on all devices; and nobody what is not so any more."""

import random
from collections.abc import Collection

import pytest

from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.membership_news import MembershipNews
from services.gateway.roster import Roster
from tests.support.edge import Wire, connection
from wire.accounts import Verified
from wire.control import MembersChanged
from wire.messages import User

ANN = "u-ann"


class _World:
    """A gateway that is abreast or not, and Ann's devices."""

    def __init__(self) -> None:
        self.is_abreast = True
        self.roster = Roster()
        self.news = MembershipNews(self, self.roster, FanOut(0))

    def connect(self, user: str = ANN) -> tuple[Connection, Wire]:
        """One more device."""
        made, wire = connection()
        made.bearer = Verified(user=User(id=user, display_name=user), session="s", expires_at=0, issued_at=0)
        self.roster.add(made)
        return made, wire

    def change(self, room: str, *, added: bool, put_out: Collection[Connection] = ()) -> None:
        """Ann is a member, or is none any more; then `put_out` were in the room."""
        who = (ANN, "u-nobody")
        if added:
            self.news.note(MembersChanged(room=room, added=who))
        else:
            self.news.note(MembersChanged(room=room, removed=who, reason="left"), put_out)


def _told(wire: Wire) -> list[tuple[str, str]]:
    """Which event, and of which room."""
    return [(str(packet).split('"')[1], str(packet).split('"')[5]) for packet in wire.packets]


async def test_all_devices_are_told_at_once() -> None:
    """Of that user; not of others, and not those that were told to go."""
    world = _World()
    (_, phone), (_, desk), (revoked, on_revoked), (_, bobs) = (
        world.connect(),
        world.connect(),
        world.connect(),
        world.connect("u-bob"),
    )
    revoked.has_left = True
    world.change("g-1", added=True)
    world.change("g-1", added=False)
    told = ['42["added",{"room":"g-1"}]', '42["removed",{"room":"g-1","reason":"left"}]']
    assert phone.packets == desk.packets == told
    assert on_revoked.packets == bobs.packets == []


async def test_whoever_was_put_out_of_the_room_knows_it() -> None:
    """Once is enough, at once or after reading up; the user's other devices are told here."""
    for is_abreast in (True, False):
        world = _World()
        world.is_abreast = is_abreast
        (inside, on_inside), (_, elsewhere) = world.connect(), world.connect()
        world.change("g-1", added=False, put_out={inside})
        world.news.settle()
        assert (on_inside.packets, _told(elsewhere)) == ([], [("removed", "g-1")])


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_reads_up_tells_what_is_left_of_it(seed: int) -> None:
    """Once for each room, in the end; and later only what comes then."""
    rng, world = random.Random(seed), _World()
    _, wire = world.connect()
    world.is_abreast = False
    last: dict[str, bool] = {}
    for _ in range(30):
        room, added = f"g-{rng.randrange(5)}", rng.random() < 0.5
        world.change(room, added=added)
        last[room] = added
    assert wire.packets == []
    _, late = world.connect()
    gone, on_gone = world.connect()
    world.roster.remove(gone)
    world.is_abreast = True
    world.news.settle()
    left = [("added" if added else "removed", room) for room, added in last.items()]
    assert sorted(_told(wire)) == sorted(left)
    assert late.packets == on_gone.packets == [], "whoever comes later asks for their rooms"
    world.news.settle()
    world.change("g-9", added=True)
    assert _told(wire).count(("added", "g-9")) == 1
    assert len(_told(wire)) == len(set(_told(wire)))


async def test_what_waits_is_undone_also_by_what_comes_live() -> None:
    """Between the reading and its end."""
    world = _World()
    _, wire = world.connect()
    world.is_abreast = False
    world.change("g-1", added=True)
    world.is_abreast = True
    world.change("g-1", added=False)
    world.news.settle()
    assert _told(wire) == [("removed", "g-1")]
