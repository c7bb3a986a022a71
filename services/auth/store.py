"""Accounts in MongoDB.

    users: {_id: user id, username, username_key, display_name, password_hash, created_at}

Motor stays inside the stores (see `database`).
"""

from datetime import UTC, datetime

import msgspec
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth.database import client, unavailable
from wire.messages import User


class Account(msgspec.Struct, frozen=True):
    """A user who can sign in."""

    user: User
    password_hash: str


class UsernameTakenError(Exception):
    """Another account has this name, whatever its case."""


class AccountStore:
    """Accounts are kept by a majority of the database's servers.

    Every method raises `ParleyError` (unavailable) when the database does not answer; making it raises
    `SettingsError` when `url` cannot be one.
    """

    def __init__(self, url: str, database: str) -> None:
        self._client = client(url)
        self._users = self._client[database].get_collection("users", write_concern=WriteConcern(w="majority"))
        self._indexed = False

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

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
        try:
            found = await self._users.find_one({"username_key": username.casefold()})
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
