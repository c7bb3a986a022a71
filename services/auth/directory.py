"""Who there is, in MongoDB: users who were let in, whoever knows their passwords.

    people: {_id: user, display_name, username?, seen_at}

Motor stays inside the stores (see `database`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth import names
from services.auth.database import Document, majority, unavailable
from wire.messages import Author, User

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase


class Directory:
    """Kept by a majority of the database's servers.

    Every method raises `ParleyError` (unavailable) when the database does not answer.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._people = majority(database, "people")

    async def saw(self, user: User) -> None:
        """`user` is there, under this name from now on. Idempotent."""
        seen = {"display_name": _kept(user.display_name), "seen_at": datetime.now(UTC)}
        if user.username is not None:
            seen["username"] = _kept(user.username)
        try:
            await self._people.update_one({"_id": user.id}, {"$set": seen}, upsert=True)
        except DuplicateKeyError:
            return  # somebody else has just said the same
        except PyMongoError as error:
            raise unavailable() from error

    async def named(self, users: Iterable[str]) -> dict[str, Author]:
        """Those of `users` who are there, by id."""
        query = {"_id": {"$in": list(users)}}
        try:
            found = await self._people.find(query, {"display_name": 1}).to_list(None)
        except PyMongoError as error:
            raise unavailable() from error
        return {each["_id"]: Author(id=each["_id"], display_name=each["display_name"]) for each in found}


def _kept(name: str) -> str:
    """`name`, which may be another issuer's: longer than ours, or with what no database takes."""
    return name.encode(errors="replace").decode()[: names.LONGEST]
