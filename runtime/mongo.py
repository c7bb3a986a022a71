"""The client of MongoDB, as every service has it. Motor stays inside this module and the services' stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError

from runtime import mongo_password, mongo_watching
from runtime.settings import SettingsError

Document = dict[str, Any]

TIMEOUT_MS: Final = 3000
"""For finding a server, and for connecting to it."""


@contextmanager
def connected(
    url: str, name: str, *, password_file: str = "", **options: Any
) -> "Iterator[AsyncIOMotorDatabase[Document]]":
    """The database `name`, reached when it is used first; `options` are a client's of pymongo.

    Raises `SettingsError` when `url` cannot be one, or the password of the user in it cannot be read from its file.
    """
    credentials = mongo_password.arguments(url, password_file)
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            serverSelectionTimeoutMS=TIMEOUT_MS,
            connectTimeoutMS=TIMEOUT_MS,
            event_listeners=[mongo_watching.Commands(), mongo_watching.Servers()],
            **options,
            **credentials,
        )
    except (PyMongoError, ValueError, TypeError):
        # What they say repeats the URL, and with it the password.
        raise SettingsError("MONGO_URL is malformed") from None
    try:
        yield client[name]
    finally:
        client.close()


def majority(
    database: "AsyncIOMotorDatabase[Document]", name: str, *, within_ms: int | None = None
) -> "AsyncIOMotorCollection[Document]":
    """A collection whose writes are kept by a majority of the database's servers, whatever the URL says.

    They may take `within_ms` to say so; None: as long as the operation may. It is read where it is written: a
    secondary may not have heard yet of what was acknowledged, or of who was removed.
    """
    return database.get_collection(
        name,
        write_concern=WriteConcern(w="majority", wtimeout=within_ms),
        read_preference=ReadPreference.PRIMARY,
    )
