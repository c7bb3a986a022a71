"""Notifications in MongoDB.

    notifications: {_id: "<user> <id>", ts, expires_at, user?, title?, body?, data?, size?}     ids have no spaces

`user`, by which they are found, and what follows it is there until the notification is dismissed; by what is left the
same id is known again. MongoDB itself removes a document at `expires_at`: history never does, and has no right to.
`data` is kept as JSON text. Motor stays inside this module.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import pymongo
from motor.motor_asyncio import AsyncIOMotorDatabase
from msgspec import Raw
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.history.database import Document, majority, unavailable
from services.history.refusals import failed
from wire.messages import JSON_ABSENT
from wire.notifications import Notification

_SECONDS: Final = 3.0
_DISMISSED: Final = {"$unset": dict.fromkeys(("user", "title", "body", "data", "size"), "")}


class NotificationStore:
    """Every method raises `ParleyError` (unavailable) if MongoDB does not answer, unless it says otherwise.

    A majority confirms writes, and what is read is no older than that.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._notifications = majority(database, "notifications")

    async def prepare(self) -> None:
        """Make the indexes; raises `WriteFailedError`."""
        try:
            await self._notifications.create_index([("user", ASCENDING)], sparse=True)
            await self._notifications.create_index([("expires_at", ASCENDING)], expireAfterSeconds=0)
        except PyMongoError as error:
            raise failed(error) from error

    async def is_prepared(self) -> bool:
        """Whether `prepare` was called, by whomever. Raises `ParleyError`, and soon."""
        try:
            with pymongo.timeout(_SECONDS):
                indexes = await self._notifications.index_information()
        except PyMongoError as error:
            raise unavailable() from error
        first = {each["key"][0][0]: each for each in indexes.values()}
        return "user" in first and "expireAfterSeconds" in first.get("expires_at", {})

    async def add(self, user: str, notification: Notification, *, size: int, age: timedelta) -> int | None:
        """Keep `notification` for `age`; if it was there before, dismissed since or not, return that one's `ts`."""
        id = _id(user, notification.id)
        document = {**_document(user, notification, size), "expires_at": datetime.now(UTC) + age}
        try:
            with pymongo.timeout(_SECONDS):
                try:
                    await self._notifications.insert_one({"_id": id, **document})
                except DuplicateKeyError:
                    before = await self._notifications.find_one({"_id": id}, {"ts": 1})
                else:
                    return None
        except PyMongoError as error:
            raise unavailable() from error
        if before is None:
            raise unavailable()  # its age ended just now: the next attempt is a new one
        return int(before["ts"])

    async def trim(self, user: str, most: int) -> None:
        """Dismiss all but the newest `most` of `user`."""
        order = [("ts", DESCENDING), ("_id", DESCENDING)]
        try:
            with pymongo.timeout(_SECONDS):
                if await self._notifications.count_documents({"user": user}) > most:
                    found = self._notifications.find({"user": user}, {"_id": 1}).sort(order).skip(most)
                    ids = [each["_id"] for each in await found.to_list(None)]
                    await self._notifications.update_many({"_id": {"$in": ids}}, _DISMISSED)
        except PyMongoError as error:
            raise unavailable() from error

    async def dismiss(self, user: str, id: str) -> None:
        """It is not kept any more, but known. Idempotent; one that is not there is fine."""
        try:
            with pymongo.timeout(_SECONDS):
                await self._notifications.update_one({"_id": _id(user, id)}, _DISMISSED)
        except PyMongoError as error:
            raise unavailable() from error

    async def sizes(self, users: Iterable[str]) -> dict[str, int]:
        """How large what is kept for each of `users` is; those for whom there is nothing are not in it."""
        found: dict[str, int] = {}
        try:
            with pymongo.timeout(_SECONDS):
                async for each in self._notifications.find(_kept(users), {"user": 1, "size": 1}):
                    found[each["user"]] = found.get(each["user"], 0) + int(each["size"])
        except PyMongoError as error:
            raise unavailable() from error
        return found

    async def of(self, users: Iterable[str]) -> dict[str, list[Notification]]:
        """What is kept for each of `users`, oldest first."""
        found: dict[str, list[Notification]] = {}
        try:
            with pymongo.timeout(_SECONDS):
                documents = await self._notifications.find(_kept(users)).to_list(None)
        except PyMongoError as error:
            raise unavailable() from error
        for each in sorted(documents, key=lambda each: (each["ts"], each["_id"])):
            found.setdefault(each["user"], []).append(_notification(each))
        return found


def _kept(users: Iterable[str]) -> Document:
    # MongoDB looks for those whose age has ended once a minute.
    return {"user": {"$in": list(users)}, "expires_at": {"$gt": datetime.now(UTC)}}


def _id(user: str, id: str) -> str:
    return f"{user} {id}"


def _document(user: str, notification: Notification, size: int) -> Document:
    document: Document = {"user": user, "title": notification.title, "ts": notification.ts, "size": size}
    if notification.body is not None:
        document["body"] = notification.body
    if notification.data is not JSON_ABSENT:
        document["data"] = bytes(notification.data).decode()
    return document


def _notification(document: Document) -> Notification:
    return Notification(
        id=document["_id"].partition(" ")[2],
        title=document["title"],
        ts=int(document["ts"]),
        body=document.get("body"),
        data=Raw(document["data"]) if "data" in document else JSON_ABSENT,
    )
