"""The client of MongoDB that the auth service's stores share.

Motor stays inside this module and the stores.
"""

from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import ConfigurationError

from runtime.settings import SettingsError
from wire.errors import ErrorCode, ParleyError

_TIMEOUT_MS: Final = 3000


def client(url: str) -> "AsyncIOMotorClient[dict[str, Any]]":
    """A client that connects when it is used first; raises `SettingsError` when `url` cannot be one.

    An operation that takes too long fails with a `PyMongoError`.
    """
    try:
        return AsyncIOMotorClient(
            url, serverSelectionTimeoutMS=_TIMEOUT_MS, connectTimeoutMS=_TIMEOUT_MS, timeoutMS=2 * _TIMEOUT_MS
        )
    except (ConfigurationError, ValueError, TypeError):
        # What they say repeats the URL, and with it the password.
        raise SettingsError("MONGO_URL is malformed") from None


def unavailable() -> ParleyError:
    """What a caller is told when MongoDB does not answer."""
    return ParleyError(ErrorCode.UNAVAILABLE, "the database of accounts does not answer", retry_after=2)
