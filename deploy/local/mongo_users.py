"""The users of the stack's own database: each service is one, with what it needs, as in docs/ARCHITECTURE.md.

The embedded server asks nobody who they are until it is started with `--auth`; its users have to be made before.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.process import StackError
from deploy.local.secrets import Secrets

AUTH_DATABASE: Final = "parley"
HISTORY_DATABASE: Final = "parley_history"
_HISTORY_ROLE: Final = "parleyHistory"
_HISTORY_ACTIONS: Final = ["find", "insert", "update", "listIndexes"]
_ROLES: Final[Mapping[str, list[Any]]] = {
    "root": ["root"],
    "auth": [{"role": "readWrite", "db": AUTH_DATABASE}],
    "history": [_HISTORY_ROLE],
    "admin": [{"role": "readWrite", "db": HISTORY_DATABASE}],
}
USERS: Final = tuple(_ROLES)
_EXISTS: Final = {51002, 51003}
_MOVED: Final = ("messages", "dead_letters", "state")
_AT_ONCE: Final = 1000


def are_made(secrets: Secrets) -> bool:
    """Whether the stack's database has users, with these passwords."""
    marker = secrets.mongo_marker
    return marker.exists() and marker.read_text() == _digest(secrets.mongo_passwords())


async def make(url: str, secrets: Secrets) -> None:
    """Make them, or give them these passwords, in a server that lets anybody in; raises `StackError`."""
    passwords = secrets.mongo_passwords()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    try:
        admin = client["admin"]
        resource = {"db": HISTORY_DATABASE, "collection": ""}
        await _made_or_there(
            admin.command(
                "createRole",
                _HISTORY_ROLE,
                privileges=[{"resource": resource, "actions": _HISTORY_ACTIONS}],
                roles=[],
            )
        )
        for user, roles in _ROLES.items():
            if not await _made_or_there(admin.command("createUser", user, pwd=passwords[user], roles=roles)):
                await admin.command("updateUser", user, pwd=passwords[user], roles=roles)
        await _move_history(client)
    except PyMongoError as error:
        raise StackError(f"mongo does not take its users: {error}") from None
    finally:
        await client.close()
    secrets.mongo_marker.write_text(_digest(passwords))


async def _made_or_there(command: Any) -> bool:
    """Whether it was made, and not there already."""
    try:
        await command
    except OperationFailure as error:
        if error.code not in _EXISTS:
            raise
        return False
    return True


async def _move_history(client: "AsyncMongoClient[dict[str, Any]]") -> None:
    """What history had among the accounts, before it had a database of its own. Again does no harm."""
    old, new = client[AUTH_DATABASE], client[HISTORY_DATABASE]
    for name in set(_MOVED) & set(await old.list_collection_names()):
        batch: list[dict[str, Any]] = []
        async for document in old[name].find().batch_size(_AT_ONCE):
            batch.append(document)
            if len(batch) == _AT_ONCE:
                await _put(new[name], batch)
                batch = []
        await _put(new[name], batch)
        await old[name].drop()


async def _put(collection: Any, documents: list[dict[str, Any]]) -> None:
    for each in documents:
        await collection.replace_one({"_id": each["_id"]}, each, upsert=True)


def _digest(passwords: Mapping[str, str]) -> str:
    return hashlib.sha256("\n".join(passwords[user] for user in _ROLES).encode()).hexdigest()
