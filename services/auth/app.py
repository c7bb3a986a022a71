"""The auth service's composition root."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.settings import SettingsError
from services.auth import jwks_fetching, key_folder, metrics, passwords, trusted_issuers
from services.auth.accounts import Accounts
from services.auth.issuers import Verifier, open_issuers
from services.auth.keys import KeyFileError, SigningKey
from services.auth.service_token_store import ServiceTokenStore
from services.auth.service_tokens import ServiceTokens
from services.auth.settings import AuthSettings
from services.auth.store import AccountStore
from services.auth.tokens import Tokens
from wire import subjects
from wire.accounts import GetKeys, Guest, Keys, Login, Register, VerifyService, VerifyToken
from wire.errors import ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)

VERSION = "1.0.0"

log = structlog.get_logger()


async def serve(settings: AuthSettings, lifecycle: Lifecycle) -> None:
    """Answer `auth.*` until the process must stop."""
    keys_folder = Path(settings.tokens.signing_keys_dir)
    signing_keys = await _signing_keys(keys_folder)
    tokens = Tokens(signing_keys, settings.tokens, time.time)
    metrics.signing_key_age.set_function(lambda: time.time() - tokens.signer.made)
    store = AccountStore(settings.database.mongo_url, settings.database.mongo_database)
    service_token_store = ServiceTokenStore(settings.database.mongo_url, settings.database.mongo_database)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        stack.callback(service_token_store.close)
        following = key_folder.followed(keys_folder, signing_keys, tokens.use, every=settings.key_reload_seconds)
        await stack.enter_async_context(following)
        http = await stack.enter_async_context(jwks_fetching.client())
        trusted = trusted_issuers.load(settings.trusted_issuers_file, own_issuer=tokens.issuer)
        verifier = Verifier(tokens, await open_issuers(trusted, http, time.time))
        service_tokens = ServiceTokens(service_token_store)
        pool = passwords.pool(threads=settings.hashing_threads, queue=settings.hashing_queue)
        hashing = await stack.enter_async_context(pool)
        accounts = Accounts(store, hashing, tokens, allow_guests=settings.allow_guests)

        async def verify(request: VerifyToken) -> Message:
            return await verifier.verify(request.token)

        async def publish_keys(_request: GetKeys) -> Message:
            return Keys(keys=tokens.keys())

        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        endpoints: list[rpc.Endpoint[Any]] = [
            _measured("verify", subjects.AUTH_VERIFY, VerifyToken, verify),
            _measured("guest", subjects.AUTH_GUEST, Guest, accounts.guest),
            _measured("register", subjects.AUTH_REGISTER, Register, accounts.register),
            _measured("login", subjects.AUTH_LOGIN, Login, accounts.login),
            _measured("verify_service", subjects.AUTH_VERIFY_SERVICE, VerifyService, service_tokens.verify),
            _measured("keys", subjects.AUTH_KEYS, GetKeys, publish_keys),
        ]
        await stack.enter_async_context(rpc.responder(connection, "auth", VERSION, endpoints))
        lifecycle.started()
        log.info("ready", signing_key=tokens.signer.kid, guests=settings.allow_guests)
        await lifecycle.stopped()


async def _signing_keys(folder: Path) -> list[SigningKey]:
    try:
        return await asyncio.to_thread(key_folder.read, folder)
    except KeyFileError as error:
        raise SettingsError(f"SIGNING_KEYS_DIR: {error}") from None


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
