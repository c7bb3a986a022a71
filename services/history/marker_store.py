"""Read markers in MongoDB.

    read_markers: {_id: "<user> <room>", seq}     ids have no spaces; found by `_id`, so there is no other index

Motor stays inside this module.
"""

from collections.abc import Iterable
from typing import Final

import pymongo
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.history.database import Document, majority, unavailable
from wire.reading import ReadMarker

_SECONDS: Final = 3.0


class MarkerStore:
    """Every method raises `ParleyError` (unavailable) if MongoDB does not answer. A majority confirms writes."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._markers = majority(database, "read_markers")

    async def raise_to(self, user: str, room: str, seq: int) -> ReadMarker:
        """Let `user` have read `room` up to `seq`, if it was not further already; returns how it is now. Idempotent.

        Of many at once with the same `seq`, one has moved it.
        """
        id = _id(user, room)
        try:
            with pymongo.timeout(_SECONDS):
                if await self._raise(id, seq):
                    return ReadMarker(seq=seq, moved=True)
                found = await self._markers.find_one({"_id": id})
        except PyMongoError as error:
            raise unavailable() from error
        return ReadMarker(seq=int(found["seq"]) if found else 0, moved=False)

    async def of(self, user: str, rooms: Iterable[str]) -> dict[str, int]:
        """Up to where `user` has read each of `rooms`; those that have no marker are not in it."""
        ids = {_id(user, room): room for room in rooms}
        try:
            with pymongo.timeout(_SECONDS):
                found = await self._markers.find({"_id": {"$in": list(ids)}}).to_list(len(ids))
        except PyMongoError as error:
            raise unavailable() from error
        return {ids[each["_id"]]: int(each["seq"]) for each in found}

    async def _raise(self, id: str, seq: int) -> bool:
        raising = {"$max": {"seq": seq}}
        try:
            result = await self._markers.update_one({"_id": id}, raising, upsert=True)
        except DuplicateKeyError:  # two at once have made the first
            result = await self._markers.update_one({"_id": id}, raising)
        return result.upserted_id is not None or result.modified_count > 0


def _id(user: str, room: str) -> str:
    return f"{user} {room}"
