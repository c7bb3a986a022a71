"""The auth service's composition root."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.settings import SettingsError
from services.auth import keys, metrics, passwords
from services.auth.accounts import Accounts
from services.auth.settings import AuthSettings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens
from wire import subjects
from wire.accounts import GetKeys, Guest, Keys, Login, Register, VerifyToken
from wire.errors import ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)

VERSION = "1.0.0"

log = structlog.get_logger()


async def serve(settings: AuthSettings, lifecycle: Lifecycle) -> None:
    """Answer `auth.*` until the process must stop."""
    try:
        signing_key = keys.read(Path(settings.tokens.signing_key_file))
    except keys.KeyFileError as error:
        raise SettingsError(f"SIGNING_KEY_FILE: {error}") from None
    tokens = Tokens([signing_key], settings.tokens, time.time)
    store = AccountStore(settings.mongo_url, settings.mongo_database)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        pool = passwords.pool(threads=settings.hashing_threads, queue=settings.hashing_queue)
        hashing = await stack.enter_async_context(pool)
        accounts = Accounts(store, hashing, tokens, allow_guests=settings.allow_guests)

        async def verify(request: VerifyToken) -> Message:
            return tokens.verify(request.token)

        async def publish_keys(_request: GetKeys) -> Message:
            return Keys(keys=tokens.keys())

        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        endpoints: list[rpc.Endpoint[Any]] = [
            _measured("verify", subjects.AUTH_VERIFY, VerifyToken, verify),
            _measured("guest", subjects.AUTH_GUEST, Guest, accounts.guest),
            _measured("register", subjects.AUTH_REGISTER, Register, accounts.register),
            _measured("login", subjects.AUTH_LOGIN, Login, accounts.login),
            _measured("keys", subjects.AUTH_KEYS, GetKeys, publish_keys),
        ]
        await stack.enter_async_context(rpc.responder(connection, "auth", VERSION, endpoints))
        lifecycle.started()
        log.info("ready", signing_key=signing_key.kid, guests=settings.allow_guests)
        await lifecycle.stopped()


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
