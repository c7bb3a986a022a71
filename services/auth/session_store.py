"""Sessions in MongoDB.

    sessions: {_id: session id, user: {id, display_name, username}, family, current, created_at, expires_at,
               revoked_at?, announced?}

`family` and `current` are digests, of what all refresh tokens of a session have in common and of the one that is good
now: so an old one is known for what it is, and none leaves anything behind. Motor stays inside this module.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from pymongo.errors import PyMongoError

from services.auth.database import Document, majority, unavailable
from wire.messages import User

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase


class StoredSession(msgspec.Struct, frozen=True):
    """A session that has not expired; it may have been revoked."""

    id: str
    user: User
    current: str
    is_revoked: bool
    is_announced: bool
    """All gateways have been told that it is revoked."""


class SessionStore:
    """Sessions are kept by a majority of the database's servers until they expire, and are gone some time later.

    Every method raises `ParleyError` (unavailable) when the database does not answer; then what was to be written may
    have been. Times are seconds since the epoch.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._sessions = majority(database, "sessions")
        self._indexed = False

    async def add(
        self, session: str, user: User, *, family: str, current: str, now: float, expires_at: float
    ) -> None:
        """Keep a new session."""
        try:
            await self._ensure_indexes()
            await self._sessions.insert_one(
                {
                    "_id": session,
                    "user": {"id": user.id, "display_name": user.display_name, "username": user.username},
                    "family": family,
                    "current": current,
                    "created_at": _date(now),
                    "expires_at": _date(expires_at),
                }
            )
        except PyMongoError as error:
            raise unavailable() from error

    async def find(self, family: str, *, now: float) -> StoredSession | None:
        """The session of `family`, unless it has expired."""
        try:
            found = await self._sessions.find_one({"family": family, "expires_at": {"$gt": _date(now)}})
        except PyMongoError as error:
            raise unavailable() from error
        if found is None:
            return None
        user = User(
            id=found["user"]["id"], display_name=found["user"]["display_name"], username=found["user"]["username"]
        )
        return StoredSession(found["_id"], user, found["current"], "revoked_at" in found, "announced" in found)

    async def rotate(self, session: str, *, current: str, following: str, expires_at: float) -> bool:
        """Let `following` replace `current`, if that is still the current one and the session is not revoked.

        Of many who do this with the same `current`, one is told that it happened.
        """
        try:
            result = await self._sessions.update_one(
                {"_id": session, "current": current, "revoked_at": None},
                {"$set": {"current": following, "expires_at": _date(expires_at)}},
            )
        except PyMongoError as error:
            raise unavailable() from error
        return bool(result.matched_count)

    async def revoke(self, session: str, user: str, *, now: float) -> bool:
        """End this session of `user`; whether there is one that had not been ended."""
        return bool(await self._revoke({"_id": session, "user.id": user}, now))

    async def revoke_all(self, user: str, *, now: float) -> int:
        """End all sessions of `user`; how many had not been ended."""
        return await self._revoke({"user.id": user}, now)

    async def announced(self, session: str) -> None:
        """All gateways have been told that this session is revoked."""
        try:
            await self._sessions.update_one({"_id": session}, {"$set": {"announced": True}})
        except PyMongoError as error:
            raise unavailable() from error

    async def _revoke(self, which: Document, now: float) -> int:
        try:
            result = await self._sessions.update_many(
                {**which, "revoked_at": None}, {"$set": {"revoked_at": _date(now)}}
            )
        except PyMongoError as error:
            raise unavailable() from error
        return int(result.modified_count)

    async def _ensure_indexes(self) -> None:
        # Before the first insert and not at start: verifying tokens must not wait for a database.
        if not self._indexed:
            await self._sessions.create_index("family", unique=True)
            await self._sessions.create_index("user.id")
            await self._sessions.create_index("expires_at", expireAfterSeconds=0)
            self._indexed = True


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
