"""The client of MongoDB that the auth service's stores share.

Motor stays inside this module and the stores.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import ConfigurationError

from runtime import mongo_password
from runtime.settings import SettingsError
from wire.errors import ErrorCode, ParleyError

Document = dict[str, Any]

_TIMEOUT_MS: Final = 3000
_MAJORITY: Final = WriteConcern(w="majority")


@contextmanager
def connected(url: str, name: str, *, password_file: str = "") -> "Iterator[AsyncIOMotorDatabase[Document]]":
    """The database `name`, reached when it is used first.

    Raises `SettingsError` when `url` cannot be one, or the password of the user in it cannot be read from its file.
    An operation that takes too long fails with a `PyMongoError`.
    """
    made = client(url, password_file=password_file)
    try:
        yield made[name]
    finally:
        made.close()


def client(url: str, *, password_file: str = "") -> "AsyncIOMotorClient[Document]":
    """A client that connects when it is used first; raises `SettingsError` when `url` cannot be one."""
    credentials = mongo_password.arguments(url, password_file)
    try:
        return AsyncIOMotorClient(
            url,
            serverSelectionTimeoutMS=_TIMEOUT_MS,
            connectTimeoutMS=_TIMEOUT_MS,
            timeoutMS=2 * _TIMEOUT_MS,
            tz_aware=True,
            **credentials,
        )
    except (ConfigurationError, ValueError, TypeError):
        # What they say repeats the URL, and with it the password.
        raise SettingsError("MONGO_URL is malformed") from None


def majority(database: "AsyncIOMotorDatabase[Document]", name: str) -> "AsyncIOMotorCollection[Document]":
    """A collection whose writes are kept by a majority of the database's servers, whatever the URL says.

    It is read where they are made: to a secondary, whoever was removed or revoked just now may not be.
    """
    return database.get_collection(
        name,
        write_concern=_MAJORITY,
        read_preference=ReadPreference.PRIMARY,
    )


def unavailable() -> ParleyError:
    """What a caller is told when MongoDB does not answer."""
    return ParleyError(ErrorCode.UNAVAILABLE, "the database of accounts does not answer", retry_after=2)
