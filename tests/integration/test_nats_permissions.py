"""Who may do what on NATS: a real nats-server with the permissions that it has everywhere, and each user's key."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from deploy.local.secrets import nats_permissions
from runtime import credentials, nkeys
from runtime.nats_client import NatsClient
from tests.support.nats_server import NatsServer, nats_server
from tests.support.waiting import until
from wire import streams, subjects

USERS: Final = credentials.NATS_USERS
OF_SERVICES: Final = ("gateway", "auth", "history")

MAY_PUBLISH: Final = {
    "gateway": [
        "chat.room.r.message",
        "live.room.r.typing",
        "live.room.r.event",
        "live.room.r.presence",
        "live.user.u.notification",
        "live.user.u.read",
        "live.gateway.g.presence",
        "auth.verify",
        "rooms.check",
        "history.page",
        "history.notify",
        "$KV.SESSIONS.pid",
        "$JS.API.STREAM.MSG.GET.MESSAGES",
        "$JS.API.STREAM.MSG.GET.KV_SESSIONS",
        "$JS.API.STREAM.MSG.GET.CONTROL",
        "$JS.API.STREAM.INFO.CONTROL",
        "_INBOX.gateway.self.x.1",
        "_INBOX.gateway.live.x.1",
    ],
    "auth": [
        "control.session.s",
        "control.user.u",
        "control.room.r",
        "_INBOX.gateway.auth.x.1",
        "_INBOX.gateway.rooms.x.1",
        "_INBOX.admin.x.1",
        "_INBOX.auth.self.x.1",
    ],
    "history": [
        "$JS.API.STREAM.INFO.MESSAGES",
        "$JS.API.STREAM.MSG.GET.MESSAGES",
        "$JS.API.CONSUMER.INFO.MESSAGES.history",
        "$JS.API.CONSUMER.MSG.NEXT.MESSAGES.history",
        "$JS.ACK.MESSAGES.history.1.1.1.1.1",
        "_INBOX.gateway.history.x.1",
        "_INBOX.admin.x.1",
        "_INBOX.history.self.x.1",
    ],
    "admin": [
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.INFO.CONTROL",
        "$JS.SNAPSHOT.ACK.MESSAGES.x",
        "$JS.SNAPSHOT.RESTORE.MESSAGES.x",
        "$SRV.PING",
        "_INBOX.admin.x.1",
    ],
}
MAY_SUBSCRIBE: Final = {
    "gateway": [
        "live.room.r.*",
        "live.room.*.*",
        "live.user.u.*",
        "live.gateway.*.presence",
        "live.control.*.*",
        "_INBOX.gateway.x.*",
    ],
    "auth": ["auth.verify", "rooms.check", "$SRV.PING", "$SRV.INFO.auth", "$SRV.STATS.auth.id", "_INBOX.auth.x.*"],
    "history": [
        "history.page",
        "history.notify",
        "$SRV.PING",
        "$SRV.INFO.history",
        "$SRV.STATS.history.id",
        "_INBOX.history.x.*",
    ],
    "admin": ["_INBOX.admin.x.*"],
}
FOREIGN: Final = [
    # What is said, and what is shown of it: nobody but the stream may show a message.
    "chat.room.r.message",
    "live.room.r.message",
    "live.room.r.typing",
    "live.room.r.other",
    "live.room.r.message.more",
    "live.user.u.notification",
    "live.user.u.other",
    "live.gateway.g.presence",
    "live.gateway.g.other",
    # Questions, and answers to others.
    "auth.verify",
    "auth.login",
    "auth.a.b",
    "rooms.check",
    "rooms.add",
    "history.page",
    "history.notify",
    "history.a.b",
    "_INBOX.gateway.x.1",
    "_INBOX.gateway.self.x.1",
    "_INBOX.gateway.auth.x.1",
    "_INBOX.gateway.rooms.x.1",
    "_INBOX.gateway.history.x.1",
    "_INBOX.gateway.chat.x.1",
    "_INBOX.gateway.$JS.x.1",
    "_INBOX.auth.x.1",
    "_INBOX.auth.self.x.1",
    "_INBOX.auth.control.x.1",
    "_INBOX.history.x.1",
    "_INBOX.history.self.x.1",
    "_INBOX.history.$JS.x.1",
    "_INBOX.admin.x.1",
    "_INBOX.x.1",
    "$SRV.PING",
    "$SRV.INFO.auth",
    # Who may not be here any more.
    "control.session.s",
    "control.user.u",
    "control.room.r",
    "control.gateway.g",
    "live.control.session.s",
    "live.control.user.u",
    "live.control.room.r",
    # Clients' sessions.
    "$KV.SESSIONS.pid",
    "$KV.OTHER.pid",
    # JetStream: to make, change, empty, delete, read and acknowledge.
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.MESSAGES",
    "$JS.API.STREAM.CREATE.OTHER",
    "$JS.API.STREAM.UPDATE.MESSAGES",
    "$JS.API.STREAM.PURGE.MESSAGES",
    "$JS.API.STREAM.PURGE.CONTROL",
    "$JS.API.STREAM.DELETE.MESSAGES",
    "$JS.API.STREAM.DELETE.CONTROL",
    "$JS.API.STREAM.DELETE.KV_SESSIONS",
    "$JS.API.STREAM.MSG.DELETE.MESSAGES",
    "$JS.API.STREAM.MSG.DELETE.CONTROL",
    "$JS.API.STREAM.MSG.GET.MESSAGES",
    "$JS.API.STREAM.MSG.GET.CONTROL",
    "$JS.API.STREAM.MSG.GET.KV_SESSIONS",
    "$JS.API.STREAM.SNAPSHOT.MESSAGES",
    "$JS.API.STREAM.RESTORE.MESSAGES",
    "$JS.API.STREAM.INFO.MESSAGES",
    "$JS.API.STREAM.INFO.CONTROL",
    "$JS.API.STREAM.LEADER.STEPDOWN.MESSAGES",
    "$JS.API.DIRECT.GET.MESSAGES",
    "$JS.API.CONSUMER.CREATE.MESSAGES",
    "$JS.API.CONSUMER.CREATE.MESSAGES.other",
    "$JS.API.CONSUMER.DURABLE.CREATE.MESSAGES.history",
    "$JS.API.CONSUMER.DELETE.MESSAGES.history",
    "$JS.API.CONSUMER.PAUSE.MESSAGES.history",
    "$JS.API.CONSUMER.INFO.MESSAGES.history",
    "$JS.API.CONSUMER.MSG.NEXT.MESSAGES.history",
    "$JS.API.CONSUMER.MSG.NEXT.CONTROL.other",
    "$JS.ACK.MESSAGES.history.1.1.1.1.1",
    "$JS.ACK.CONTROL.other.1.1.1.1.1",
    "$JS.SNAPSHOT.ACK.MESSAGES.x",
    "$JS.SNAPSHOT.RESTORE.MESSAGES.x",
    "$SYS.REQ.SERVER.PING",
    "anything",
]
FOREIGN_INTEREST: Final = [
    ">",
    "*",
    "*.>",
    "chat.>",
    "chat.room.>",
    "chat.room.r.message",
    "live.>",
    "live.room.>",
    "live.room.r.*",
    "live.user.>",
    "auth.verify",
    "auth.*",
    "rooms.check",
    "history.page",
    "history.*",
    "history.>",
    "control.>",
    "control.*.*",
    "live.control.*.*",
    "_INBOX.>",
    "_INBOX.*.*.*",
    "_INBOX.gateway.x.*",
    "_INBOX.auth.x.*",
    "_INBOX.history.x.*",
    "_INBOX.admin.x.*",
    "$SRV.>",
    "$SRV.PING",
    "$SRV.INFO.auth",
    "$SRV.INFO.history",
    "$KV.SESSIONS.>",
    "$KV.>",
    "$JS.>",
    "$JS.API.>",
    "$JS.ACK.>",
    "$JS.EVENT.>",
    "$SYS.>",
    "anything",
]
WIDER: Final = {
    "gateway": ["live.room.r.>", "live.room.*.>", "live.user.u.>", "live.control.*.>", "live.control.user.>"],
    "auth": ["auth.>", "rooms.>", "$SRV.PING.auth.>"],
    "history": ["history.>", "$SRV.PING.history.>"],
}
"""What nats-server's reading of `*` admits beside: it is nobody else's, and nothing is ever published there."""


_OWN: Final = {
    ("gateway", "auth.login"),
    ("gateway", "rooms.add"),
    ("auth", "auth.*"),
    ("history", "history.*"),
    ("history", "history.>"),
}
"""Allowed by the same permissions as a row of theirs."""


def _rows(subjects_of_all: list[str], allowed: dict[str, list[str]]) -> Iterator[tuple[str, str, bool]]:
    for user in USERS:
        for subject in allowed[user]:
            yield user, subject, True
    for user, subject in itertools.product(OF_SERVICES, subjects_of_all):
        if subject not in allowed[user] and (user, subject) not in _OWN:
            yield user, subject, False


PUBLISHED: Final = list(_rows(FOREIGN, MAY_PUBLISH))
SUBSCRIBED: Final = list(_rows(FOREIGN_INTEREST, MAY_SUBSCRIBE))


class User:
    """A connection of one of the users, and what nats-server refused it."""

    def __init__(self, client: NatsClient, refused: list[str]) -> None:
        self.client = client
        self._refused = refused

    async def may(self, verb: str, subject: str) -> bool:
        """Whether it may `publish` or `subscribe` to `subject`; the connection lives on either way."""
        self._refused.clear()
        if verb == "publish":
            await self.client.publish(subject, b"", reply=f"{self.client._inbox_prefix.decode()}.reply")
        else:
            subscription = await self.client.subscribe(subject)
            await self._round_trips()
            await subscription.unsubscribe()
        await self._round_trips()
        assert self.client.is_connected
        return not self._refused

    async def _round_trips(self) -> None:
        # nats-py sends the ping of a flush before what waits to be sent.
        for _ in range(2):
            await self.client.flush()


@asynccontextmanager
async def _connected(server: NatsServer, seed: Path | None, user: str) -> AsyncIterator[User]:
    key = None if seed is None else nkeys.read("seed", str(seed))
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error))

    client = NatsClient(lambda _: None, None if key is None else key.public)
    try:
        await client.connect(
            server.url,
            signature_cb=None if key is None else key.sign,
            inbox_prefix=subjects.inbox(user),
            error_cb=on_error,
            allow_reconnect=False,
        )
        yield User(client, refused)
    finally:
        await client.close()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[NatsServer, Path]]:
    """It, with all streams, and where the users' keys are."""
    folder = tmp_path_factory.mktemp("credentials")
    credentials.make(folder)
    async with nats_server(nats_permissions(folder)) as started:
        async with _connected(started, folder / "admin" / credentials.SEED, "admin") as admin:
            manager = admin.client.jetstream()
            await manager.add_stream(streams.messages(replicas=1, max_age=60, dedupe_window=10))
            await manager.add_stream(streams.kept_sessions(replicas=1))
            await manager.add_stream(streams.control(replicas=1))
            await manager.add_consumer(streams.MESSAGES, streams.history_consumer())
        yield started, folder


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def users(server: tuple[NatsServer, Path]) -> AsyncIterator[dict[str, User]]:
    """A connection of each."""
    gateway, auth, history, admin = (
        _connected(server[0], server[1] / user / credentials.SEED, user) for user in USERS
    )
    async with gateway as one, auth as two, history as three, admin as four:
        yield dict(zip(USERS, (one, two, three, four), strict=True))


@pytest.mark.parametrize(("user", "subject", "allowed"), PUBLISHED)
async def test_who_may_publish(users: dict[str, User], user: str, subject: str, allowed: bool) -> None:  # noqa: FBT001
    """What a service needs, and nothing else; and what is refused ends no connection."""
    assert await users[user].may("publish", subject) == allowed


@pytest.mark.parametrize(("user", "subject", "allowed"), SUBSCRIBED)
async def test_who_may_subscribe(users: dict[str, User], user: str, subject: str, allowed: bool) -> None:  # noqa: FBT001
    """The same: no service hears what was meant for another."""
    assert await users[user].may("subscribe", subject) == allowed


@pytest.mark.parametrize(("user", "subject"), [(user, each) for user, all_of in WIDER.items() for each in all_of])
async def test_what_a_star_admits_beside(users: dict[str, User], user: str, subject: str) -> None:
    """A `>` in the place of a permission's `*`: of the user's own subjects, with more tokens than anything has."""
    assert await users[user].may("subscribe", subject)
    for other in set(OF_SERVICES) - {user}:
        assert not await users[other].may("subscribe", subject)


async def test_nothing_was_deleted(users: dict[str, User]) -> None:
    """What was refused above was not carried out, either."""
    manager = users["admin"].client.jetstream()
    names = {each.config.name for each in await manager.streams_info()}
    assert names == {streams.MESSAGES, streams.CONTROL, streams.KEPT_SESSIONS}
    await manager.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)


@pytest.mark.parametrize(
    ("user", "asked"),
    [
        ("auth", subjects.AUTH_VERIFY),
        ("auth", subjects.ROOMS_CHECK),
        ("auth", "_INBOX.auth.self.x"),
        ("history", subjects.HISTORY_PAGE),
        ("history", "_INBOX.history.self.x"),
    ],
)
async def test_no_question_lets_its_answer_go_anywhere(users: dict[str, User], user: str, asked: str) -> None:
    """What is refused stays so when somebody asks for the answer there: a gateway, or the service itself."""
    asker, answerer = users[user if asked.startswith("_INBOX") else "gateway"].client, users[user]
    heard: list[str] = []

    async def hear(question: Msg) -> None:
        heard.append(question.reply)

    subscription = await answerer.client.subscribe(asked, cb=hear)
    await answerer._round_trips()
    for target in FOREIGN:
        if target not in MAY_PUBLISH[user] and not target.startswith("$JS.ACK."):  # nats-server refuses these itself
            await asker.publish(asked, b"?", reply=target)
            await until(lambda target=target: target in heard, f"the question that is to be answered at {target}")  # type: ignore[misc]
            assert not await answerer.may("publish", target), target
    await subscription.unsubscribe()


async def test_a_live_message_comes_from_the_stream_alone(users: dict[str, User]) -> None:
    """A gateway stores a message, and hears it; it cannot show one that was not stored."""
    heard: list[bytes] = []

    async def hear(message: Msg) -> None:
        heard.append(message.data)

    gateway = users["gateway"].client
    subscription = await gateway.subscribe(subjects.live_interest("shown"), cb=hear)
    assert not await users["gateway"].may("publish", subjects.live("shown", "message"))
    await gateway.jetstream().publish(subjects.stored_message("shown"), b"stored")
    await until(lambda: bool(heard), "what was stored")
    assert heard == [b"stored"]
    await subscription.unsubscribe()


@pytest.mark.parametrize("which", ["none", "unknown"])
async def test_nobody_else_gets_in(server: tuple[NatsServer, Path], tmp_path: Path, which: str) -> None:
    """Without a key, or with one that the server does not know."""
    seed = None
    if which == "unknown":
        credentials.make(tmp_path)
        seed = tmp_path / "admin" / credentials.SEED
    with pytest.raises(NatsError, match="Authorization Violation"):
        async with _connected(server[0], seed, "admin"):
            pass


async def test_a_signature_is_good_once(server: tuple[NatsServer, Path]) -> None:
    """It is of the server's nonce: one that was overheard lets nobody in."""
    key = nkeys.read("seed", str(server[1] / "admin" / credentials.SEED))
    client = NatsClient(lambda _: None, key.public)
    try:
        with pytest.raises(NatsError, match="Authorization Violation"):
            await client.connect(server[0].url, signature_cb=lambda _: key.sign("overheard"), allow_reconnect=False)
    finally:
        await client.close()


# --- together with wire/subjects.py -------------------------------------------------------------------------------

_GATEWAY, _AUTH, _HISTORY, _NOBODY = {"gateway"}, {"auth"}, {"history"}, set[str]()
_OF_A_KEY: Final[dict[str, tuple[set[str], set[str]]]] = {
    "STORED_MESSAGES": (_GATEWAY, _NOBODY),
    "REPUBLISHED_MESSAGES": (_NOBODY, _GATEWAY),
    "TYPING": (_GATEWAY, _GATEWAY),
    "EVENT": (_GATEWAY, _GATEWAY),
    "PRESENCE": (_GATEWAY, _GATEWAY),
    "NOTIFICATION": (_GATEWAY, _GATEWAY),
    "READ": (_GATEWAY, _GATEWAY),
    "GATEWAYS": (_GATEWAY, _GATEWAY),
    "HISTORY_PAGE": (_GATEWAY, _HISTORY),
    "HISTORY_READ": (_GATEWAY, _HISTORY),
    "HISTORY_UNREAD": (_GATEWAY, _HISTORY),
    "HISTORY_NOTIFY": (_GATEWAY, _HISTORY),
    "HISTORY_NOTIFICATIONS": (_GATEWAY, _HISTORY),
    "HISTORY_DISMISS": (_GATEWAY, _HISTORY),
    "CONTROL": (_AUTH, _NOBODY),
    "REPUBLISHED_CONTROL": (_NOBODY, _GATEWAY),
    "CONTROL_INTEREST": (_NOBODY, _GATEWAY),
    "SESSIONS_REVOKED": (_AUTH, _NOBODY),
    "USERS_REVOKED": (_AUTH, _NOBODY),
    "KEPT_SESSIONS": (_GATEWAY, _NOBODY),
    "stored_message": (_GATEWAY, _NOBODY),
    "live_interest": (_GATEWAY, _GATEWAY),
    "live_user_interest": (_GATEWAY, _GATEWAY),
    "live_gateway": (_GATEWAY, _GATEWAY),
    "kept_session": (_GATEWAY, _NOBODY),
    "session_revoked": (_AUTH, _NOBODY),
    "user_revoked": (_AUTH, _NOBODY),
    "members_changed": (_AUTH, _NOBODY),
}
"""Who may publish, and who may subscribe. AUTH_* and ROOMS_* are asked by gateways and answered by auth."""
_SPELLED: Final[dict[str, list[str]]] = {
    "STORED_MESSAGES": ["chat.room.r.message"],
    "REPUBLISHED_MESSAGES": ["live.room.r.message"],
    "TYPING": [subjects.live("r", subjects.TYPING)],
    "EVENT": [subjects.live("r", subjects.EVENT)],
    "PRESENCE": [subjects.live("r", subjects.PRESENCE)],
    "NOTIFICATION": [subjects.live_user("u", subjects.NOTIFICATION)],
    "READ": [subjects.live_user("u", subjects.READ)],
    "GATEWAYS": ["live.gateway.g.presence"],
    "CONTROL": ["control.session.s", "control.user.u", "control.room.r"],
    "REPUBLISHED_CONTROL": ["live.control.session.s", "live.control.user.u", "live.control.room.r"],
    "CONTROL_INTEREST": ["live.control.session.s"],
    "SESSIONS_REVOKED": ["control.session.s"],
    "USERS_REVOKED": ["control.user.u"],
    "KEPT_SESSIONS": ["$KV.SESSIONS.pid"],
    "live_interest": ["live.room.r.typing", "live.room.r.event"],
    "live_user_interest": ["live.user.u.notification", "live.user.u.read"],
}
_NOT_A_SUBJECT: Final = {
    *("Final", "live", "live_user", "room_of_stored", "user_of_live", "is_inbox"),
    *("inbox", "presence_answers", "reply", "stream_get", "stream_info"),
}
"""The last five belong to several users; they are above."""


def _all_subjects() -> Iterator[tuple[str, str, set[str], set[str]]]:
    for name in vars(subjects):
        if name.startswith("_") or name in _NOT_A_SUBJECT:
            continue
        publishers, subscribers = _OF_A_KEY.get(name, (_GATEWAY, _AUTH))
        if name not in _OF_A_KEY:
            assert name.startswith(("AUTH_", "ROOMS_")), f"{name}: who may publish it, and who may hear it?"
        value: Any = getattr(subjects, name)
        spelled = _SPELLED.get(name) or [value("r") if callable(value) else value]
        for subject in spelled:
            yield name, subject, publishers, subscribers


@pytest.mark.parametrize(("name", "subject", "publishers", "subscribers"), list(_all_subjects()))
async def test_each_subject_is_for_exactly_who_needs_it(
    users: dict[str, User], name: str, subject: str, publishers: set[str], subscribers: set[str]
) -> None:
    """All that wire/subjects.py spells, and all services: a subject that is new there has to be decided on here."""
    publishing = {user for user in OF_SERVICES if await users[user].may("publish", subject)}
    subscribing = {user for user in OF_SERVICES if await users[user].may("subscribe", subject)}
    assert (publishing, subscribing) == (publishers, subscribers), name


async def test_permissions_hold_for_a_burst(users: dict[str, User]) -> None:
    """A thousand refused publishes, and the connection that they came on still works."""
    gateway = users["gateway"]
    await asyncio.gather(*(gateway.client.publish("control.user.u", b"forged") for _ in range(1000)))
    assert not await gateway.may("publish", "control.user.u")
    assert await gateway.may("publish", "chat.room.r.message")
