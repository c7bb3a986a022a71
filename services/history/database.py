"""The database of the history service's stores, and what a caller is told when it does not answer."""

from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Final

from runtime import mongo
from runtime.mongo import Document
from services.history.settings import DatabaseSettings
from wire.errors import ErrorCode, ParleyError

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase

__all__ = ["Document", "connected", "majority", "unavailable"]

_WRITE_TIMEOUT_MS: Final = 20_000

majority: Final = partial(mongo.majority, within_ms=_WRITE_TIMEOUT_MS)


def connected(settings: DatabaseSettings) -> "AbstractContextManager[AsyncIOMotorDatabase[Document]]":
    """See `runtime.mongo.connected`."""
    return mongo.connected(
        settings.mongo_url,
        settings.mongo_database,
        password_file=settings.mongo_password_file,
        socketTimeoutMS=_WRITE_TIMEOUT_MS,
    )


def unavailable() -> ParleyError:
    """What a caller is told when MongoDB does not answer."""
    return ParleyError(ErrorCode.UNAVAILABLE, "the message store does not answer", retry_after=2)
