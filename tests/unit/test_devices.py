"""What is for a user reaches all their connections here, over a real NATS, and nobody else."""

from typing import Any, Final

import pytest
import pytest_asyncio
from msgspec import Raw
from structlog.testing import capture_logs

from runtime.bus import Bus
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.devices import Devices
from services.gateway.fanout import FanOut
from services.gateway.roster import Roster
from tests.support.edge import Current, Wire, connection
from tests.support.stacks import unique
from tests.support.waiting import until
from wire import codec, subjects
from wire.accounts import Verified
from wire.messages import User
from wire.notifications import Dismissed, Notification
from wire.reading import ReadMoved

OTHER: Final = "another gateway's"


class _Gateway:
    """One with `Devices`, and whoever connects to it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.control = Current()
        self.roster = Roster()
        self.dismissed: list[tuple[str, str]] = []
        self.devices = Devices(bus, self.control, self.roster, FanOut(0), lambda *read: self.dismissed.append(read))

    def connect(self, user: str) -> tuple[Connection, Wire]:
        """One more connection of `user`."""
        made, wire = connection()
        made.bearer = Verified(user=User(id=user, display_name=user), session="s", expires_at=0, issued_at=0)
        self.roster.add(made)
        self.devices.begin(made)
        return made, wire

    def end(self, gone: Connection) -> None:
        """It is gone."""
        gone.has_ended = True
        self.roster.remove(gone)
        self.devices.end(gone)

    async def heard(self) -> None:
        """Until everything was heard that is published so far."""
        assert await self.bus.round_trip(10)

    def publish(self, user: str, kind: str, live: Any) -> None:
        """As a gateway does."""
        self.bus.publish(subjects.live_user(user, kind), codec.encode(live))


@pytest_asyncio.fixture(loop_scope="session")
async def gateway(bus: Bus) -> _Gateway:
    """One."""
    return _Gateway(bus)


async def test_all_devices_are_told_but_the_one_it_came_from(gateway: _Gateway) -> None:
    """Of the user, and of nobody else; a notification has no such one."""
    ann, bob = unique("u"), unique("u")
    phone, on_phone = gateway.connect(ann)
    _, on_desk = gateway.connect(ann)
    _, on_bobs = gateway.connect(bob)
    gateway.publish(ann, subjects.READ, ReadMoved(room="lobby", seq=7, origin=phone.id))
    gateway.publish(ann, subjects.NOTIFICATION, Notification(id="n-1", title="Hi", ts=5))
    told = Notification(id="n-2", title="Hi", ts=6, body="You", data=Raw(b'{"a":1}'))
    gateway.publish(ann, subjects.NOTIFICATION, told)
    gateway.publish(ann, subjects.NOTIFICATION, Dismissed(id="n-1", origin=OTHER))
    await gateway.heard()
    read = '42["read",{"room":"lobby","seq":7}]'
    notifications = [
        '42["notification",{"id":"n-1","title":"Hi","ts":5}]',
        '42["notification",{"id":"n-2","title":"Hi","ts":6,"body":"You","data":{"a":1}}]',
        '42["dismissed",{"id":"n-1"}]',
    ]
    assert on_phone.packets == notifications
    assert on_desk.packets == [read, *notifications]
    assert gateway.dismissed == [(ann, "n-1")]
    assert not on_bobs.packets


async def test_nothing_is_heard_for_users_who_are_not_here(gateway: _Gateway) -> None:
    """One subscription while any device is connected, and none after the last; it can come back."""
    user = unique("u")
    before = len(gateway.bus.client._subs)
    first, _ = gateway.connect(user)
    second, _ = gateway.connect(user)
    assert len(gateway.bus.client._subs) == before + 1
    gateway.end(first)
    assert gateway.devices.users == [user]
    gateway.end(second)
    gateway.end(second)
    assert len(gateway.bus.client._subs) == before
    assert gateway.devices.users == []
    heard = metrics.live_messages["read",]
    gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=7, origin=OTHER))
    await gateway.heard()
    assert metrics.live_messages["read",] == heard
    _, wire = gateway.connect(user)
    gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=8, origin=OTHER))
    await gateway.heard()
    assert wire.packets == ['42["read",{"room":"lobby","seq":8}]']


async def test_whoever_was_told_to_go_hears_nothing_more(gateway: _Gateway) -> None:
    """A revoked connection lives on for a second; one whose transport is closed may not be gone yet."""
    user = unique("u")
    (revoked, on_revoked), (ended, on_ended), (_, on_good) = (gateway.connect(user) for _ in range(3))
    revoked.has_left = True
    ended.has_ended = True
    gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=7, origin=OTHER))
    await gateway.heard()
    assert (on_revoked.packets, on_ended.packets, len(on_good.packets)) == ([], [], 1)


async def test_nothing_is_delivered_while_it_is_not_known_who_may_be_here(gateway: _Gateway) -> None:
    """They may have been revoked meanwhile."""
    user = unique("u")
    _, wire = gateway.connect(user)
    gateway.control.is_current = False
    gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=7, origin=OTHER))
    await gateway.heard()
    assert wire.packets == []
    gateway.control.is_current = True
    gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=8, origin=OTHER))
    await until(lambda: bool(wire.packets), "the next")
    assert wire.packets == ['42["read",{"room":"lobby","seq":8}]']


@pytest.mark.parametrize("garbage", [b"", b"{}", b"\xff", b'{"type":"message"}', b'{"type":"read","room":"a b"}'])
async def test_what_cannot_be_read_is_logged_and_counted(gateway: _Gateway, garbage: bytes) -> None:
    """And what follows is delivered."""
    user, before = unique("u"), metrics.live_unreadable._value.get()
    _, wire = gateway.connect(user)
    with capture_logs() as logs:
        gateway.bus.publish(subjects.live_user(user, subjects.READ), garbage)
        gateway.publish(user, subjects.READ, ReadMoved(room="lobby", seq=8, origin=OTHER))
        await gateway.heard()
    assert [each["event"] for each in logs] == ["unreadable live message"]
    assert metrics.live_unreadable._value.get() == before + 1
    assert len(wire.packets) == 1
