"""The commands for service tokens. Each returns what is to be printed, and nothing else is.

CommandError
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pymongo.errors import OperationFailure

from services.auth import database
from services.auth.service_token_store import NameTakenError, ServiceTokenStore
from services.auth.service_tokens import ServiceTokens
from services.auth.settings import DatabaseSettings
from wire.accounts import Scope, ServiceName
from wire.errors import ParleyError
from wire.ids import Id

_REFUSALS: Final = {
    13: "the database refuses this: MONGO_URL names no user, or one who may not do it",
    18: "the database refuses the login: the user in MONGO_URL, or the password, is wrong",
}
"""By the codes of MongoDB."""


class CommandError(Exception):
    """What was asked for could not be done."""


async def create(settings: DatabaseSettings, name: ServiceName, scopes: frozenset[Scope]) -> str:
    """A new token. Raises `CommandError`."""
    async with _store(settings) as store:
        try:
            return await ServiceTokens(store).create(name, scopes)
        except NameTakenError:
            raise CommandError(f"there is a token of the name {name}: revoke it first") from None


async def show(settings: DatabaseSettings) -> str:
    """A table of all tokens that there are and were, without the tokens themselves. Raises `CommandError`."""
    async with _store(settings) as store:
        rows = [("NAME", "SCOPES", "CREATED", "REVOKED")]
        for each in await store.all():
            revoked = "-" if each.revoked_at is None else f"{each.revoked_at:%Y-%m-%dT%H:%M:%SZ}"
            rows.append((each.name, ",".join(sorted(each.scopes)), f"{each.created_at:%Y-%m-%dT%H:%M:%SZ}", revoked))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]) for row in rows)


async def revoke(settings: DatabaseSettings, name: Id) -> str:
    """What was done. Raises `CommandError`."""
    async with _store(settings) as store:
        if not await store.revoke(name):
            raise CommandError(f"there is no token of the name {name} that is not revoked")
    return f"revoked {name}"


@asynccontextmanager
async def _store(settings: DatabaseSettings) -> AsyncIterator[ServiceTokenStore]:
    file = settings.mongo_password_file
    with database.connected(settings.mongo_url, settings.mongo_database, password_file=file) as mongo:
        try:
            yield ServiceTokenStore(mongo)
        except ParleyError as error:
            # What the database says itself is not repeated: it may hold what is in the URL.
            refused = error.__cause__.code if isinstance(error.__cause__, OperationFailure) else None
            raise CommandError(_REFUSALS.get(refused or 0, error.message)) from None
