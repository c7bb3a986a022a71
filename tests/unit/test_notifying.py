"""Notifications that history keeps, on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient
from msgspec import Raw

from services.history import database
from services.history.notification_store import NotificationStore
from services.history.notifying import Notifying
from services.history.settings import DatabaseSettings
from tests.support.mongo_server import MongoServer, mongo_server
from tests.support.stacks import unique
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.notifications import (
    NOTIFICATION_MOST_BYTES,
    USERS_AT_ONCE,
    Dismiss,
    GetNotifications,
    Kept,
    KeptFor,
    Notification,
    Notified,
    Notify,
)

MOST: Final = 5
NATS_MOST: Final = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(mongo: MongoServer) -> AsyncIterator[NotificationStore]:
    """With the indexes that the admin step makes; to make them again does no harm."""
    with database.connected(DatabaseSettings(mongo_url=mongo.url)) as connected:
        made = NotificationStore(connected)
        await made.prepare()
        await made.prepare()
        yield made


@pytest.fixture
def notifying(store: NotificationStore) -> Notifying:
    """One that keeps few for each user."""
    return Notifying(store, most=MOST, days=30)


def _notification(id: str, ts: int = 1, title: str = "Hi") -> Notification:
    return Notification(id=id, title=title, ts=ts)


async def _kept(notifying: Notifying, *users: str) -> dict[str, list[Notification]]:
    answer = await notifying.kept(GetNotifications(users=list(users)))
    assert not answer.left
    return {each.user: each.notifications for each in answer.kept}


async def test_what_is_kept_comes_back_as_it_was_oldest_first(notifying: Notifying) -> None:
    """To its user and no other; what nobody has is not in the answer."""
    ann, bob, nobody = unique("u"), unique("u"), unique("u")
    full = Notification(
        id="n-1", title="<b>\u202e", ts=2**53, body="\0\U0001f600", data=Raw(b'{"a":1e400,"$b.c":null}')
    )
    late, early = _notification("n-0", ts=3), _notification("n-9", ts=2)
    for user, each in ((ann, full), (ann, late), (ann, early), (bob, late)):
        assert await notifying.notify(Notify(user=user, notification=each)) == Notified(ts=each.ts, duplicate=False)
    assert await _kept(notifying, nobody, bob, ann) == {bob: [late], ann: [early, late, full]}
    assert await _kept(notifying, nobody) == {}


async def test_the_same_id_is_the_same_notification_also_once_it_was_read(notifying: Notifying) -> None:
    """The first stays as it was, and is not shown again after it was dismissed, however often its backend retries."""
    ann, bob = unique("u"), unique("u")
    await notifying.notify(Notify(user=ann, notification=_notification("n-1", ts=1)))
    again = Notify(user=ann, notification=_notification("n-1", ts=2, title="Other"))
    assert await notifying.notify(again) == Notified(ts=1, duplicate=True)
    assert (await _kept(notifying, ann))[ann] == [_notification("n-1", ts=1)]
    await notifying.dismiss(Dismiss(user=bob, id="n-1"))
    assert len((await _kept(notifying, ann))[ann]) == 1
    for _ in range(2):
        await notifying.dismiss(Dismiss(user=ann, id="n-1"))
        assert await notifying.notify(again) == Notified(ts=1, duplicate=True)
        assert await _kept(notifying, ann) == {}
    assert not (await notifying.notify(Notify(user=bob, notification=_notification("n-1")))).duplicate


async def test_of_many_at_once_one_is_new(notifying: Notifying) -> None:
    """And all are told the same ts."""
    user = unique("u")
    told = await asyncio.gather(
        *(notifying.notify(Notify(user=user, notification=_notification("n", ts=at))) for at in range(20))
    )
    assert sorted(each.duplicate for each in told) == [False] + [True] * 19
    assert {each.ts for each in told} == {each.ts for each in (await _kept(notifying, user))[user]}


async def test_the_newest_are_kept(notifying: Notifying) -> None:
    """Above a number the oldest go, by when they were made and not when they came; they are still known."""
    user = unique("u")
    for ts in (3, 1, 2, *range(4, 2 * MOST + 1)):
        await notifying.notify(Notify(user=user, notification=_notification(f"n-{ts}", ts=ts)))
    assert [each.ts for each in (await _kept(notifying, user))[user]] == list(range(MOST + 1, 2 * MOST + 1))
    again = await notifying.notify(Notify(user=user, notification=_notification("n-1", ts=100)))
    assert again == Notified(ts=1, duplicate=True)
    await asyncio.gather(
        *(notifying.notify(Notify(user=user, notification=_notification(f"m-{ts}", ts=100 + ts))) for ts in range(20))
    )
    assert [each.ts for each in (await _kept(notifying, user))[user]] == list(range(120 - MOST, 120))


async def test_what_is_too_old_is_gone(store: NotificationStore, mongo: MongoServer) -> None:
    """Also before MongoDB, which is told by an index when to remove it, has got round to that."""
    user = unique("u")
    await store.add(user, _notification("n-1"), size=1, age=timedelta(seconds=-1))
    assert not await store.of([user])
    assert not await store.sizes([user])
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo.url)
    indexes = await client["parley_history"]["notifications"].index_information()
    client.close()
    assert [each["key"] for each in indexes.values() if each.get("expireAfterSeconds") == 0] == [[("expires_at", 1)]]


async def test_what_is_too_large_is_refused(notifying: Notifying) -> None:
    """By its size as JSON, in which a control character takes six bytes."""
    request = Notify(user=unique("u"), notification=Notification(id="n", title="t", ts=1, body="\0" * 2_000))
    with pytest.raises(ParleyError) as caught:
        await notifying.notify(request)
    assert caught.value.code == ErrorCode.TOO_LARGE
    assert await _kept(notifying, request.user) == {}


async def test_an_answer_fits_into_a_message(store: NotificationStore) -> None:
    """Whoever has no place in it is named, and asked about again; whoever is alone always has one."""
    notifying = Notifying(store, most=100, days=30)
    users = [unique("u") for _ in range(USERS_AT_ONCE)]
    body = "x" * (NOTIFICATION_MOST_BYTES - 80)
    for user in users[:2]:
        for at in range(100):
            notification = Notification(id=f"n-{at}", title="t", ts=at, body=body)
            await notifying.notify(Notify(user=user, notification=notification))
    await notifying.notify(Notify(user=users[2], notification=_notification("n")))
    first = await notifying.kept(GetNotifications(users=users))
    assert len(codec.encode(first)) < NATS_MOST
    (large,) = set(users[:2]) - set(first.left)
    assert {each.user for each in first.kept} == {large, users[2]}
    second = await notifying.kept(GetNotifications(users=first.left))
    assert len(codec.encode(second)) < NATS_MOST
    assert [len(each.notifications) for each in second.kept] == [100]
    assert json.loads(codec.encode(second))["kept"][0]["user"] == first.left[0]


async def test_without_a_database_nobody_knows() -> None:
    """`unavailable`, whatever is asked; and once it is there again, what it has acknowledged is kept."""
    async with mongo_server() as server:
        with database.connected(DatabaseSettings(mongo_url=server.url)) as connected:
            notifying = Notifying(NotificationStore(connected), most=MOST, days=30)
            kept = Notify(user="u-ann", notification=_notification("n-1"))
            await notifying.notify(kept)
            await server.kill()
            for asked in (
                notifying.notify(kept),
                notifying.kept(GetNotifications(users=["u-ann"])),
                notifying.dismiss(Dismiss(user="u-ann", id="n-1")),
            ):
                with pytest.raises(ParleyError) as caught:
                    await asked
                assert caught.value.code == ErrorCode.UNAVAILABLE
            await server.start()
            answer = await notifying.kept(GetNotifications(users=["u-ann"]))
            assert answer == Kept(kept=[KeptFor("u-ann", [kept.notification])], left=[])


async def test_history_is_not_ready_without_the_indexes(mongo: MongoServer) -> None:
    """After an update without the admin step: it says which, and is ready once they are there."""
    settings = DatabaseSettings(mongo_url=mongo.url, mongo_database=unique("old"))
    with database.connected(settings) as connected:
        store = NotificationStore(connected)
        notifying = Notifying(store, most=MOST, days=30)
        assert "services.history setup" in str(await notifying.why_not_ready())
        await connected["notifications"].create_index([("user", 1)], sparse=True)
        assert await notifying.why_not_ready(), "nothing would ever be removed"
        await store.prepare()
        assert await notifying.why_not_ready() is None
