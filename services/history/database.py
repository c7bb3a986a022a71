"""The client of MongoDB that the history service's stores share.

Motor stays inside this module and the stores.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError

from runtime import mongo_password
from runtime.settings import SettingsError
from services.history.settings import DatabaseSettings
from wire.errors import ErrorCode, ParleyError

Document = dict[str, Any]

_TIMEOUT_MS: Final = 3000
_WRITE_TIMEOUT_MS: Final = 20_000
_MAJORITY: Final = WriteConcern(w="majority", wtimeout=_WRITE_TIMEOUT_MS)


@contextmanager
def connected(settings: DatabaseSettings) -> "Iterator[AsyncIOMotorDatabase[Document]]":
    """The database, reached when it is used first.

    Raises `SettingsError` when the URL cannot be one, or the password of its user cannot be read.
    """
    credentials = mongo_password.arguments(settings.mongo_url, settings.mongo_password_file)
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            settings.mongo_url,
            serverSelectionTimeoutMS=_TIMEOUT_MS,
            connectTimeoutMS=_TIMEOUT_MS,
            socketTimeoutMS=_WRITE_TIMEOUT_MS,
            **credentials,
        )
    except (PyMongoError, ValueError, TypeError):
        raise SettingsError("MONGO_URL is malformed") from None  # which may hold a password
    try:
        yield client[settings.mongo_database]
    finally:
        client.close()


def majority(database: "AsyncIOMotorDatabase[Document]", name: str) -> "AsyncIOMotorCollection[Document]":
    """A collection whose writes are kept by a majority of the database's servers, whatever the URL says.

    It is read where they are made: what a secondary has not heard of yet would be missing from what is complete.
    """
    return database.get_collection(
        name,
        write_concern=_MAJORITY,
        read_preference=ReadPreference.PRIMARY,
    )


def unavailable() -> ParleyError:
    """What a caller is told when MongoDB does not answer."""
    return ParleyError(ErrorCode.UNAVAILABLE, "the message store does not answer", retry_after=2)
