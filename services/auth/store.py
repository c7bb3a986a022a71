"""Accounts in MongoDB.

    users: {_id: user id, username, username_key, display_name, password_hash, created_at}

Motor stays inside the stores (see `database`).
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth.database import Document, majority, unavailable
from wire.messages import User

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase


class Account(msgspec.Struct, frozen=True):
    """A user who can sign in."""

    user: User
    password_hash: str


class UsernameTakenError(Exception):
    """Another account has this name, whatever its case."""


class AccountStore:
    """Accounts are kept by a majority of the database's servers.

    Every method raises `ParleyError` (unavailable) when the database does not answer.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._users = majority(database, "users")
        self._indexed = False

    async def add(self, account: Account) -> None:
        """Keep a new account; raises `UsernameTakenError`."""
        username = account.user.username or ""
        try:
            await self._ensure_index()
            await self._users.insert_one(
                {
                    "_id": account.user.id,
                    "username": username,
                    "username_key": username.casefold(),
                    "display_name": account.user.display_name,
                    "password_hash": account.password_hash,
                    "created_at": datetime.now(UTC),
                }
            )
        except DuplicateKeyError:
            raise UsernameTakenError from None
        except PyMongoError as error:
            raise unavailable() from error

    async def find(self, username: str) -> Account | None:
        """The account of `username`, whatever its case."""
        return await self._find({"username_key": username.casefold()})

    async def of_user(self, user: str) -> Account | None:
        """The account of a user id."""
        return await self._find({"_id": user})

    async def is_current(self, account: Account) -> bool:
        """Whether the password of `account` has not been changed meanwhile."""
        return await self._find({"_id": account.user.id, "password_hash": account.password_hash}) is not None

    async def change_password(self, account: Account, password_hash: str) -> bool:
        """Give it another password, unless that has been changed meanwhile; whether it was given."""
        current = {"_id": account.user.id, "password_hash": account.password_hash}
        try:
            result = await self._users.update_one(current, {"$set": {"password_hash": password_hash}})
        except PyMongoError as error:
            raise unavailable() from error
        return bool(result.matched_count)

    async def _find(self, which: Document) -> Account | None:
        try:
            found = await self._users.find_one(which)
        except PyMongoError as error:
            raise unavailable() from error
        if found is None:
            return None
        user = User(id=found["_id"], username=found["username"], display_name=found["display_name"])
        return Account(user, found["password_hash"])

    async def _ensure_index(self) -> None:
        # Before the first insert and not at start: verifying tokens must not wait for a database.
        if not self._indexed:
            await self._users.create_index("username_key", unique=True)
            self._indexed = True
