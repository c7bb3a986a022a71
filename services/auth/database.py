"""The database of the auth service's stores, and what a caller is told when it does not answer."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from runtime import mongo
from runtime.mongo import Document
from wire.errors import ErrorCode, ParleyError

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase

__all__ = ["Document", "connected", "majority", "unavailable"]

majority: Final = mongo.majority


def connected(
    url: str, name: str, *, password_file: str = ""
) -> "AbstractContextManager[AsyncIOMotorDatabase[Document]]":
    """See `runtime.mongo.connected`; an operation that takes too long fails with a `PyMongoError`."""
    return mongo.connected(url, name, password_file=password_file, timeoutMS=2 * mongo.TIMEOUT_MS, tz_aware=True)


def unavailable() -> ParleyError:
    """What a caller is told when MongoDB does not answer."""
    return ParleyError(ErrorCode.UNAVAILABLE, "the database of accounts does not answer", retry_after=2)
