"""What the auth service answers: a table of subjects, and what is counted of each."""

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from runtime import rpc
from services.auth import metrics
from services.auth.accounts import Accounts
from services.auth.issuers import Verifier
from services.auth.outages import Outages
from services.auth.rooms import PrivateRooms
from services.auth.service_tokens import ServiceTokens
from services.auth.sessions import Sessions
from services.auth.sightings import Sightings
from services.auth.tokens import Tokens
from wire import accounts as ask
from wire import membership, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import Message

Q = TypeVar("Q", bound=Message)

Endpoints = list[rpc.Endpoint[Any]]

_REFUSED_AT_ONCE: Final = 64

_outages: Final = Outages()


def of_tokens(tokens: Tokens, verifier: Verifier, sightings: Sightings) -> Endpoints:
    """Access tokens, and the keys that verify them."""

    async def verify(request: ask.VerifyToken) -> Message:
        verified = await verifier.verify(request.token)
        sightings.note(verified.user)
        return verified

    async def publish_keys(_request: ask.GetKeys) -> Message:
        return ask.Keys(keys=tokens.keys())

    return [
        _measured("verify", subjects.AUTH_VERIFY, ask.VerifyToken, verify),
        _measured("keys", subjects.AUTH_KEYS, ask.GetKeys, publish_keys),
    ]


def of_services(tokens: ServiceTokens) -> Endpoints:
    """Service tokens."""
    return [_measured("verify_service", subjects.AUTH_VERIFY_SERVICE, ask.VerifyService, tokens.verify)]


def of_sessions(accounts: Accounts, sessions: Sessions, *, hashed_most: int) -> Endpoints:
    """Letting in and out. `hashed_most`: how many passwords may be hashed or wait for it."""
    # Whoever is one too many is told so, and does not wait to be told.
    most = hashed_most + _REFUSED_AT_ONCE
    return [
        _measured("guest", subjects.AUTH_GUEST, ask.Guest, accounts.guest),
        _measured("register", subjects.AUTH_REGISTER, ask.Register, accounts.register, most),
        _measured("login", subjects.AUTH_LOGIN, ask.Login, accounts.login, most),
        _measured("password", subjects.AUTH_PASSWORD, ask.ChangePassword, accounts.change_password, most),
        _measured("refresh", subjects.AUTH_REFRESH, ask.Refresh, sessions.refresh),
        _measured("logout", subjects.AUTH_LOGOUT, ask.Logout, sessions.logout),
        _measured("disconnect", subjects.AUTH_DISCONNECT, ask.Disconnect, sessions.disconnect),
    ]


def of_rooms(rooms: PrivateRooms) -> Endpoints:
    """Private rooms and their members."""
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


def _measured(
    kind: str,
    subject: str,
    request: type[Q],
    handler: Callable[[Q], Awaitable[Message]],
    concurrency: int = rpc.CONCURRENCY,
) -> rpc.Endpoint[Q]:
    async def measured(message: Q) -> Message:
        started = time.perf_counter()
        result: str = ErrorCode.INTERNAL
        try:
            answer = await handler(message)
            result = "ok"
        except ParleyError as error:
            result = error.code
            _outages.note(error)
            raise
        finally:
            metrics.requests.labels(kind=kind, result=result).inc()
            metrics.duration.labels(group=metrics.GROUPS[kind]).observe(time.perf_counter() - started)
        return answer

    return rpc.Endpoint(subject, request, measured, concurrency)
