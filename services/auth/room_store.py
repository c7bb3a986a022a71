"""Private rooms in MongoDB, and who their members are.

    rooms: {_id: room, kind, name?, owner?, members: [{id, since}], member_count, revision,
            unannounced?: [{id, why, revision}], created_at}

One document a room, so that each change is one write, and happens as a whole or not at all. Motor stays inside the
stores (see `database`).
"""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.auth.database import Document, majority, unavailable
from services.auth.groups import Room

if TYPE_CHECKING:
    from motor.motor_asyncio import AsyncIOMotorDatabase

_MEMBERS: Final = [("members.id", ASCENDING), ("_id", ASCENDING)]
"""Finds the rooms of a user in their order, and whether a user is in a room without a look at that room: so it takes
no longer to be told of a room that one is not in than of one that is not there."""


class Listed(msgspec.Struct, frozen=True):
    """A room in a list: `room` has the first of its members only, if `member_count` is larger."""

    room: Room
    member_count: int


class RoomStore:
    """Rooms are kept by a majority of the database's servers.

    Every method raises `ParleyError` (unavailable) when the database does not answer.
    """

    def __init__(self, database: "AsyncIOMotorDatabase[Document]") -> None:
        self._rooms = majority(database, "rooms")
        self._indexing = asyncio.Lock()
        self._indexed = False

    async def are_members(self, user: str | None, rooms: list[str]) -> bool:
        """Whether `user`, or anybody, is a member of each of `rooms`: one question, however many."""
        wanted = set(rooms)
        member: Document = {"member_count": {"$gt": 0}} if user is None else {"members.id": user}
        try:
            found = await self._rooms.find({"_id": {"$in": [*wanted]}, **member}, {"_id": 1}).to_list(None)
        except PyMongoError as error:
            raise unavailable() from error
        return len(found) == len(wanted)

    async def of_member(self, room: str, user: str) -> Room | None:
        """`room`, if `user` is a member of it."""
        return await self._one({"_id": room, "members.id": user})

    async def unannounced_of(self, room: str, user: str) -> Room | None:
        """`room`, if something happened to `user` in it that not all gateways may have heard of."""
        return await self._one({"_id": room, "unannounced.id": user})

    async def unannounced(self, most: int) -> list[Room]:
        """Up to `most` rooms in which anything did."""
        try:
            found = await self._rooms.find({"unannounced.id": {"$gt": ""}}).limit(most).to_list(most)
        except PyMongoError as error:
            raise unavailable() from error
        return [_room(each) for each in found]

    async def of_user(self, user: str, after: str, most: int, members_most: int) -> list[Listed]:
        """Up to `most` rooms of `user`, by id, from behind `after`, with `members_most` members each."""
        query = {"members.id": user, "_id": {"$gt": after}}
        shown = {"members": {"$slice": members_most}}
        try:
            found = await self._rooms.find(query, shown).sort("_id", ASCENDING).limit(most).to_list(most)
        except PyMongoError as error:
            raise unavailable() from error
        return [Listed(_room(each), int(each["member_count"])) for each in found]

    async def owned(self, user: str) -> int:
        """How many groups `user` owns."""
        try:
            return await self._rooms.count_documents({"owner": user})
        except PyMongoError as error:
            raise unavailable() from error

    async def add(self, room: Room) -> Room:
        """Keep a new room; the one that is there, if there is one of this id."""
        try:
            await self._ensure_indexes()
            await self._rooms.insert_one({"_id": room.id, **_document(room), "created_at": datetime.now(UTC)})
        except DuplicateKeyError:
            return await self._one({"_id": room.id}) or room
        except PyMongoError as error:
            raise unavailable() from error
        return room

    async def replace(self, room: Room, changed: Room) -> bool:
        """Make `room` what it is `changed` to, unless somebody else has changed it: False then."""
        found = {"_id": room.id, "revision": room.revision}
        document = _document(changed)
        absent = {key: "" for key in ("name", "owner", "unannounced") if key not in document}
        try:
            result = await self._rooms.update_one(found, {"$set": document, **({"$unset": absent} if absent else {})})
        except PyMongoError as error:
            raise unavailable() from error
        return result.matched_count == 1

    async def announced(self, room: Room) -> None:
        """All gateways have heard of all that `room` says; one that is over goes now."""
        heard = {"$pull": {"unannounced": {"revision": {"$lte": room.revision}}}}
        try:
            if room.members:
                await self._rooms.update_one({"_id": room.id}, heard)
            else:
                await self._rooms.delete_one({"_id": room.id, "member_count": 0})
        except PyMongoError as error:
            raise unavailable() from error

    async def _one(self, query: dict[str, Any]) -> Room | None:
        try:
            found = await self._rooms.find_one(query)
        except PyMongoError as error:
            raise unavailable() from error
        return None if found is None else _room(found)

    async def _ensure_indexes(self) -> None:
        # Before the first insert and not at start: verifying tokens must not wait for a database.
        async with self._indexing:
            if not self._indexed:
                await self._rooms.create_index(_MEMBERS)
                await self._rooms.create_index("owner", sparse=True)
                await self._rooms.create_index("unannounced.id", sparse=True)
                self._indexed = True


def _document(room: Room) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(room)
    del document["id"]
    optional = {key: document.pop(key) for key in ("name", "owner", "unannounced")}
    return {
        **document,
        "member_count": len(room.members),
        **{key: value for key, value in optional.items() if value},
    }


def _room(document: dict[str, Any]) -> Room:
    return msgspec.convert({**document, "id": document["_id"]}, Room)
