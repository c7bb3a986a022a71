"""Accounts and sessions as the auth service has them, on a real database and stream, and what gateways hear."""

import itertools
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from runtime.listening import Delivery
from services.auth import database, keys
from services.auth.accounts import Accounts
from services.auth.announcing import Announcer
from services.auth.attempt_store import AttemptStore
from services.auth.attempts import Attempts
from services.auth.directory import Directory
from services.auth.passwords import Passwords
from services.auth.session_store import SessionStore
from services.auth.sessions import Sessions
from services.auth.settings import AttemptSettings, TokenSettings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens
from tests.support.mongo_server import MongoServer
from wire import codec, streams, subjects
from wire.accounts import Session, Verified
from wire.control import Control, SessionRevoked, UserRevoked
from wire.errors import ParleyError

REFRESH_SECONDS: Final = 3600.0
UNLIMITED: Final = AttemptSettings(
    login_failures_per_account=0, login_failures_per_address=0, registrations_per_address=0, guests_per_address=0
)

_databases = itertools.count(1)
_decoder: codec.Decoder[Control] = codec.Decoder(Control)  # type: ignore[arg-type] # a union


class Instance:
    """One of the processes that share a database."""

    def __init__(self, world: "AuthWorld", mongo: Any, hashing: Passwords, limits: AttemptSettings) -> None:
        self.store = SessionStore(mongo)
        self.account_store = AccountStore(mongo)
        self.sessions = Sessions(
            self.store,
            Directory(mongo),
            world.tokens,
            Announcer(world.bus, token_seconds=world.tokens.lifetime),
            refresh_seconds=REFRESH_SECONDS,
            clock=world.now,
        )
        self.attempts = Attempts(AttemptStore(mongo), limits, world.now)
        self.accounts = Accounts(self.account_store, hashing, self.sessions, self.attempts, allow_guests=True)


class AuthWorld:
    """Two instances, `one` and `other`, what they store, and what gateways hear of them, in its order."""

    def __init__(
        self, bus: Bus, url: str, hashing: Passwords, stack: AsyncExitStack, limits: AttemptSettings
    ) -> None:
        self.bus = bus
        self.later = 0.0
        """How far the clock is ahead."""
        self.tick = 0.001
        """How often it shows another time."""
        self.tokens = Tokens(
            [keys._signing_key(Ed25519PrivateKey.generate())], TokenSettings(signing_keys_dir="-"), self.now
        )
        self.heard: list[Control] = []
        name = f"auth_{next(_databases)}"
        self.mongo, mongo = (stack.enter_context(database.connected(url, name)) for _ in range(2))
        self.one = Instance(self, self.mongo, hashing, limits)
        self.other = Instance(self, mongo, hashing, limits)
        listening = bus.listen(subjects.CONTROL, self._hear)
        stack.callback(listening.close)

    def now(self) -> float:
        """What the instances take for the time."""
        return (time.time() + self.later) // self.tick * self.tick

    def _hear(self, delivery: Delivery) -> None:
        self.heard.append(_decoder.decode(delivery.data))

    async def make_stream(self) -> None:
        """As the admin step does."""
        await self.bus.jetstream.add_stream(streams.control(replicas=1))

    async def lose_stream(self) -> None:
        """Nothing can be announced any more."""
        try:
            await self.bus.jetstream.delete_stream(streams.CONTROL)
        except NotFoundError:
            return

    def verified(self, session: Session) -> Verified:
        """The bearer of its access token."""
        return self.tokens.verify(session.access_token)

    def is_good(self, session: Session) -> bool:
        """Whether a gateway that has heard everything admits the access token of `session`."""
        bearer = self.verified(session)
        for each in self.heard:
            if isinstance(each, SessionRevoked) and each.session == bearer.session:
                return False
            if isinstance(each, UserRevoked) and each.user == bearer.user.id and bearer.issued_at <= each.before:
                return False
        return True

    async def stored(self, collection: str) -> list[dict[str, Any]]:
        """All documents."""
        found: list[dict[str, Any]] = await self.mongo[collection].find({}).to_list(None)
        return found


@asynccontextmanager
async def auth_world(
    bus: Bus, mongo: MongoServer, hashing: Passwords, limits: AttemptSettings = UNLIMITED
) -> AsyncIterator[AuthWorld]:
    """A world of its own, with the stream there and nothing stored."""
    async with AsyncExitStack() as stack:
        world = AuthWorld(bus, mongo.url, hashing, stack, limits)
        await world.make_stream()
        stack.push_async_callback(world.lose_stream)
        yield world


async def refused(doing: Awaitable[object]) -> ParleyError:
    """How something is refused."""
    with pytest.raises(ParleyError) as caught:
        await doing
    return caught.value
