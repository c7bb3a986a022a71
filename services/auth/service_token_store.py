"""Service tokens in MongoDB.

    service_tokens: {_id: hash of the token, name, living?, scopes, created_at, revoked_at?}     unique living

`living` is the name, for as long as the token is not revoked.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth.database import Document, majority, unavailable
from wire.accounts import Scope
from wire.ids import Id


class ServiceToken(msgspec.Struct, frozen=True):
    """What is known of a token."""

    name: Id
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None = None


class NameTakenError(Exception):
    """A token that is not revoked has this name."""


class ServiceTokenStore:
    """What was written is kept by a majority of the database's servers, and what is read is no older.

    Every method raises `ParleyError` (unavailable) when the database does not answer.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._tokens = majority(database, "service_tokens")

    async def add(self, token_hash: str, name: Id, scopes: frozenset[Scope]) -> None:
        """Keep a new token; raises `NameTakenError`."""
        now = datetime.now(UTC)
        try:
            await self._tokens.create_index("living", unique=True, sparse=True)
            await self._tokens.insert_one(
                {"_id": token_hash, "name": name, "living": name, "scopes": sorted(scopes), "created_at": now}
            )
        except DuplicateKeyError:
            raise NameTakenError from None
        except PyMongoError as error:
            raise unavailable() from error

    async def living(self, token_hash: str) -> ServiceToken | None:
        """The token with this hash, unless it is revoked."""
        try:
            found = await self._tokens.find_one({"_id": token_hash, "living": {"$exists": True}})
        except PyMongoError as error:
            raise unavailable() from error
        return None if found is None else _token(found)

    async def all(self) -> list[ServiceToken]:
        """All tokens that there are and were, the oldest first."""
        try:
            found = [_token(each) async for each in self._tokens.find()]
        except PyMongoError as error:
            raise unavailable() from error
        return sorted(found, key=lambda each: each.created_at)

    async def revoke(self, name: Id) -> bool:
        """Revoke the token of this name; whether there was one that was not revoked."""
        change = {"$set": {"revoked_at": datetime.now(UTC)}, "$unset": {"living": ""}}
        try:
            return (await self._tokens.update_one({"living": name}, change)).modified_count > 0
        except PyMongoError as error:
            raise unavailable() from error


def _token(document: dict[str, Any]) -> ServiceToken:
    return ServiceToken(
        name=document["name"],
        scopes=frozenset(document["scopes"]),
        created_at=document["created_at"].replace(tzinfo=UTC),
        revoked_at=None if "revoked_at" not in document else document["revoked_at"].replace(tzinfo=UTC),
    )
