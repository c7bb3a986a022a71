"""The auth service's composition root."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.settings import SettingsError
from runtime.version import VERSION
from services.auth import database, endpoints, jwks_fetching, key_folder, metrics, passwords, trusted_issuers
from services.auth.accounts import Accounts
from services.auth.announcing import Announcer
from services.auth.attempt_store import AttemptStore
from services.auth.attempts import Attempts
from services.auth.directory import Directory
from services.auth.issuers import Verifier, open_issuers
from services.auth.keys import KeyFileError, SigningKey
from services.auth.room_changes import RoomChanges
from services.auth.room_store import RoomStore
from services.auth.rooms import PrivateRooms
from services.auth.service_token_store import ServiceTokenStore
from services.auth.service_tokens import ServiceTokens
from services.auth.session_store import SessionStore
from services.auth.sessions import Sessions
from services.auth.settings import AuthSettings
from services.auth.sightings import Sightings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens

_FINISH_SECONDS: Final = 8.0
"""Who signs in waits 10 s for an answer, some of it for others' passwords to be hashed."""

log = structlog.get_logger()


async def serve(settings: AuthSettings, lifecycle: Lifecycle) -> None:
    """Answer `auth.*` and `rooms.*` until the process must stop."""
    keys_folder = Path(settings.tokens.signing_keys_dir)
    signing_keys = await _signing_keys(keys_folder)
    tokens = Tokens(signing_keys, settings.tokens, time.time)
    metrics.signing_key_age.set_function(lambda: time.time() - tokens.signer.made)
    async with AsyncExitStack() as stack:
        where = settings.database
        reached = database.connected(where.mongo_url, where.mongo_database, password_file=where.mongo_password_file)
        mongo = stack.enter_context(reached)
        following = key_folder.followed(keys_folder, signing_keys, tokens.use, every=settings.key_reload_seconds)
        await stack.enter_async_context(following)
        http = await stack.enter_async_context(jwks_fetching.client())
        trusted = trusted_issuers.load(settings.trusted_issuers_file, own_issuer=tokens.issuer)
        verifier = Verifier(tokens, await open_issuers(trusted, http, time.time))
        pool = passwords.pool(threads=settings.hashing_threads, queue=settings.hashing_queue)
        hashing = await stack.enter_async_context(pool)
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        announcer = Announcer(connection, token_seconds=tokens.lifetime)
        directory = Directory(mongo)
        sightings = Sightings(directory)
        sessions = Sessions(
            SessionStore(mongo),
            directory,
            tokens,
            announcer,
            refresh_seconds=settings.refresh_token_seconds,
            clock=time.time,
        )
        attempts = Attempts(AttemptStore(mongo), settings.attempts, time.time)
        accounts = Accounts(AccountStore(mongo), hashing, sessions, attempts, allow_guests=settings.allow_guests)
        room_store = RoomStore(mongo)
        changes = RoomChanges(room_store, announcer)
        rooms = PrivateRooms(
            room_store,
            changes,
            directory,
            members_most=settings.group_members_most,
            owned_most=settings.groups_per_user_most,
        )
        for work in (sightings.write(), changes.mend()):
            await stack.enter_async_context(_at_work(work, lifecycle))
        answered = [
            *endpoints.of_tokens(tokens, verifier, sightings),
            *endpoints.of_services(ServiceTokens(ServiceTokenStore(mongo))),
            *endpoints.of_sessions(accounts, sessions, hashed_most=settings.hashing_threads + settings.hashing_queue),
            *endpoints.of_rooms(rooms),
        ]
        answering = rpc.responder(connection, "auth", VERSION, answered, finish_seconds=_FINISH_SECONDS)
        await stack.enter_async_context(answering)
        lifecycle.started()
        log.info("ready", signing_key=tokens.signer.kid, guests=settings.allow_guests)
        await lifecycle.stopped()


async def _signing_keys(folder: Path) -> list[SigningKey]:
    try:
        return await asyncio.to_thread(key_folder.read, folder)
    except KeyFileError as error:
        raise SettingsError(f"SIGNING_KEYS_DIR: {error}") from None


@asynccontextmanager
async def _at_work(work: Coroutine[None, None, None], lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Have `work`, which never ends, done while the block runs; the process fails with it."""

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("auth crashed", exc_info=error)
            lifecycle.fail("auth crashed")

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
