"""The auth service's composition root."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.settings import SettingsError
from services.auth import database, keys, metrics, passwords
from services.auth.accounts import Accounts
from services.auth.announcing import Announcer
from services.auth.attempt_store import AttemptStore
from services.auth.attempts import Attempts
from services.auth.session_store import SessionStore
from services.auth.sessions import Sessions
from services.auth.settings import AuthSettings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens
from wire import subjects
from wire.accounts import (
    ChangePassword,
    Disconnect,
    GetKeys,
    Guest,
    Keys,
    Login,
    Logout,
    Refresh,
    Register,
    VerifyToken,
)
from wire.errors import ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)

VERSION = "1.0.0"

_REFUSED_AT_ONCE: Final = 64

log = structlog.get_logger()


async def serve(settings: AuthSettings, lifecycle: Lifecycle) -> None:
    """Answer `auth.*` until the process must stop."""
    try:
        signing_key = keys.read(Path(settings.tokens.signing_key_file))
    except keys.KeyFileError as error:
        raise SettingsError(f"SIGNING_KEY_FILE: {error}") from None
    tokens = Tokens([signing_key], settings.tokens, time.time)
    async with AsyncExitStack() as stack:
        mongo = stack.enter_context(database.connected(settings.mongo_url, settings.mongo_database))
        pool = passwords.pool(threads=settings.hashing_threads, queue=settings.hashing_queue)
        hashing = await stack.enter_async_context(pool)
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        sessions = Sessions(
            SessionStore(mongo),
            tokens,
            Announcer(connection, token_seconds=settings.tokens.access_token_seconds),
            refresh_seconds=settings.refresh_token_seconds,
            clock=time.time,
        )
        attempts = Attempts(AttemptStore(mongo), settings.attempts, time.time)
        accounts = Accounts(AccountStore(mongo), hashing, sessions, attempts, allow_guests=settings.allow_guests)

        async def verify(request: VerifyToken) -> Message:
            return tokens.verify(request.token)

        async def publish_keys(_request: GetKeys) -> Message:
            return Keys(keys=tokens.keys())

        # More than may be hashed or wait for it: whoever is one too many is told so, and does not wait to be told.
        signing_in = settings.hashing_threads + settings.hashing_queue + _REFUSED_AT_ONCE
        endpoints: list[rpc.Endpoint[Any]] = [
            _measured("verify", subjects.AUTH_VERIFY, VerifyToken, verify),
            _measured("guest", subjects.AUTH_GUEST, Guest, accounts.guest),
            _measured("register", subjects.AUTH_REGISTER, Register, accounts.register, signing_in),
            _measured("login", subjects.AUTH_LOGIN, Login, accounts.login, signing_in),
            _measured(
                "password", subjects.AUTH_PASSWORD, ChangePassword, accounts.change_password, concurrency=signing_in
            ),
            _measured("refresh", subjects.AUTH_REFRESH, Refresh, sessions.refresh),
            _measured("logout", subjects.AUTH_LOGOUT, Logout, sessions.logout),
            _measured("disconnect", subjects.AUTH_DISCONNECT, Disconnect, sessions.disconnect),
            _measured("keys", subjects.AUTH_KEYS, GetKeys, publish_keys),
        ]
        await stack.enter_async_context(rpc.responder(connection, "auth", VERSION, endpoints))
        lifecycle.started()
        log.info("ready", signing_key=signing_key.kid, guests=settings.allow_guests)
        await lifecycle.stopped()


def _measured(
    kind: str,
    subject: str,
    request: type[Q],
    handler: Callable[[Q], Awaitable[Message]],
    concurrency: int = rpc.CONCURRENCY,
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

    return rpc.Endpoint(subject, request, measured, concurrency)
