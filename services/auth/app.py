"""The auth service's composition root."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.settings import SettingsError
from services.auth import keys, metrics, passwords
from services.auth.accounts import Accounts
from services.auth.announcing import Announcer
from services.auth.directory import Directory
from services.auth.room_store import RoomStore
from services.auth.rooms import PrivateRooms
from services.auth.settings import AuthSettings
from services.auth.sightings import Sightings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens
from wire import membership, subjects
from wire.accounts import GetKeys, Guest, Keys, Login, Register, VerifyToken
from wire.errors import ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)

VERSION = "1.0.0"

log = structlog.get_logger()


async def serve(settings: AuthSettings, lifecycle: Lifecycle) -> None:
    """Answer `auth.*` and `rooms.*` until the process must stop."""
    try:
        signing_key = keys.read(Path(settings.tokens.signing_key_file))
    except keys.KeyFileError as error:
        raise SettingsError(f"SIGNING_KEY_FILE: {error}") from None
    tokens = Tokens([signing_key], settings.tokens, time.time)
    store = AccountStore(settings.mongo_url, settings.mongo_database)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        directory = Directory(settings.mongo_url, settings.mongo_database)
        stack.callback(directory.close)
        sightings = Sightings(directory)
        room_store = RoomStore(settings.mongo_url, settings.mongo_database)
        stack.callback(room_store.close)
        pool = passwords.pool(threads=settings.hashing_threads, queue=settings.hashing_queue)
        hashing = await stack.enter_async_context(pool)
        accounts = Accounts(store, directory, hashing, tokens, allow_guests=settings.allow_guests)

        async def verify(request: VerifyToken) -> Message:
            verified = tokens.verify(request.token)
            sightings.note(verified.user)
            return verified

        async def publish_keys(_request: GetKeys) -> Message:
            return Keys(keys=tokens.keys())

        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        rooms = PrivateRooms(
            room_store,
            directory,
            Announcer(connection, token_seconds=tokens.lifetime),
            members_most=settings.group_members_most,
            owned_most=settings.groups_per_user_most,
        )
        for work in (sightings.write(), rooms.mend()):
            await stack.enter_async_context(_at_work(work, lifecycle))
        endpoints: list[rpc.Endpoint[Any]] = [
            _measured("verify", subjects.AUTH_VERIFY, VerifyToken, verify),
            _measured("guest", subjects.AUTH_GUEST, Guest, accounts.guest),
            _measured("register", subjects.AUTH_REGISTER, Register, accounts.register),
            _measured("login", subjects.AUTH_LOGIN, Login, accounts.login),
            _measured("keys", subjects.AUTH_KEYS, GetKeys, publish_keys),
            *_of_rooms(rooms),
        ]
        await stack.enter_async_context(rpc.responder(connection, "auth", VERSION, endpoints))
        lifecycle.started()
        log.info("ready", signing_key=signing_key.kid, guests=settings.allow_guests)
        await lifecycle.stopped()


def _of_rooms(rooms: PrivateRooms) -> list[rpc.Endpoint[Any]]:
    return [
        _measured("rooms_check", subjects.ROOMS_CHECK, membership.CheckMember, rooms.check),
        _measured("rooms_create", subjects.ROOMS_CREATE, membership.CreateGroup, rooms.create),
        _measured("rooms_direct", subjects.ROOMS_DIRECT, membership.OpenDirect, rooms.open_direct),
        _measured("rooms_add", subjects.ROOMS_ADD, membership.AddMember, rooms.add),
        _measured("rooms_remove", subjects.ROOMS_REMOVE, membership.RemoveMember, rooms.remove),
        _measured("rooms_rename", subjects.ROOMS_RENAME, membership.RenameGroup, rooms.rename),
        _measured("rooms_delete", subjects.ROOMS_DELETE, membership.DeleteGroup, rooms.delete),
        _measured("rooms_list", subjects.ROOMS_LIST, membership.ListRooms, rooms.list),
        _measured("rooms_get", subjects.ROOMS_GET, membership.GetRoom, rooms.get),
    ]


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


def _measured(
    kind: str, subject: str, request: type[Q], handler: Callable[[Q], Awaitable[Message]]
) -> rpc.Endpoint[Q]:
    async def measured(message: Q) -> Message:
        started = time.perf_counter()
        result = "ok"
        try:
            return await handler(message)
        except ParleyError as error:
            result = error.code
            raise
        finally:
            metrics.requests.labels(kind=kind, result=result).inc()
            metrics.duration.labels(kind=kind).observe(time.perf_counter() - started)

    return rpc.Endpoint(subject, request, measured)
