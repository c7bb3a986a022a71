"""Counts of attempts in MongoDB, which all instances of the auth service share.

    attempts: {_id: what is counted, count, until}

Motor stays inside this module.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth.database import Document, majority, unavailable

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase


class Counted(msgspec.Struct, frozen=True):
    """How many there are in the present window, and when it ends, in seconds since the epoch."""

    count: int
    until: float


class AttemptStore:
    """Each count has a window that begins with the first attempt.

    Every method raises `ParleyError` (unavailable) when the database does not answer.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._attempts = majority(database, "attempts")
        self._indexed = False

    async def add(self, what: str, *, now: float, seconds: float) -> Counted:
        """Count one more, in one step, in the present window, or in a new one that ends `seconds` after `now`."""
        is_present = {"$gt": ["$until", _date(now)]}
        update = {
            "count": {"$cond": [is_present, {"$add": ["$count", 1]}, 1]},
            "until": {"$cond": [is_present, "$until", _date(now + seconds)]},
        }
        try:
            await self._ensure_index()
            found = await self._upsert(what, update)
        except PyMongoError as error:
            raise unavailable() from error
        if found is None:  # somebody has just begun again
            return Counted(1, now + seconds)
        return Counted(int(found["count"]), found["until"].timestamp())

    async def take_back(self, what: str, *, now: float) -> None:
        """One of those that were counted was none."""
        try:
            await self._attempts.update_one({"_id": what, "until": {"$gt": _date(now)}}, {"$inc": {"count": -1}})
        except PyMongoError as error:
            raise unavailable() from error

    async def clear(self, what: str) -> None:
        """Begin again."""
        try:
            await self._attempts.delete_one({"_id": what})
        except PyMongoError as error:
            raise unavailable() from error

    async def _upsert(self, what: str, update: Document) -> Document | None:
        async def once() -> Document | None:
            found: Document | None = await self._attempts.find_one_and_update(
                {"_id": what}, [{"$set": update}], upsert=True, return_document=ReturnDocument.AFTER
            )
            # SecantusDB, when somebody else makes it at the same time: it counts, and answers nothing.
            return found or await self._attempts.find_one({"_id": what})

        try:
            return await once()
        except DuplicateKeyError:  # somebody else has just made it
            return await once()

    async def _ensure_index(self) -> None:
        # Only so that none stays for ever: whether a window has ended is looked at when it is counted.
        if not self._indexed:
            await self._attempts.create_index("until", expireAfterSeconds=0)
            self._indexed = True


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
