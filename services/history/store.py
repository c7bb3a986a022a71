"""Messages in MongoDB.

    messages:     {room, seq, user, id, name, body, data?, ts}     unique (room, seq), unique (room, user, id)
    dead_letters: {_id: seq, subject, payload, reason}
    state:        {_id: "messages", highest_seq, newest_ts?}       written before the messages it speaks of

`data` is kept as JSON text: clients may put anything in it that BSON cannot hold. Motor stays inside this module.
"""

from typing import Final, NamedTuple

import pymongo
from motor.motor_asyncio import AsyncIOMotorDatabase
from msgspec import Raw
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from runtime.stream import Entry
from services.history.database import Document, majority, unavailable
from services.history.known import Known
from services.history.refusals import added_despite, failed
from wire.messages import JSON_ABSENT, Author, ChatMessage

_INDEXES: Final = (("room", "seq"), ("room", "user", "id"))
"""Unique."""

_COUNTING_SECONDS: Final = 3.0
_FIRST_WINDOW: Final = 4096
"""Pages are read in windows of seq that widen eightfold: the embedded server sorts all that a query matches."""
_COUNTING_WINDOW: Final = 256
"""A narrow one: of so many rooms at once, most have little that was not read."""


class Written(NamedTuple):
    """A message, as far as it is counted."""

    seq: int
    user: str


class MessageStore:
    """Writes are confirmed by a majority."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        self._messages = majority(database, "messages")
        self._dead_letters = majority(database, "dead_letters")
        self._state = majority(database, "state")

    async def prepare(self) -> None:
        """Make the indexes that idempotence rests on; raises `WriteFailedError`."""
        try:
            for keys in _INDEXES:
                await self._messages.create_index([(key, ASCENDING) for key in keys], unique=True)
        except PyMongoError as error:
            raise failed(error) from error

    async def is_prepared(self) -> bool:
        """Whether `prepare` was called, by whomever; raises `WriteFailedError`."""
        try:
            indexes = await self._messages.index_information()
        except PyMongoError as error:
            raise failed(error) from error
        unique = [tuple(key for key, _ in each["key"]) for each in indexes.values() if each.get("unique")]
        return set(_INDEXES) <= set(unique)

    async def add(self, messages: list[tuple[str, Entry]]) -> int:
        """Write (room, message) pairs and return how many were new; raises `WriteFailedError`, `RefusedError`.

        Idempotent: what is there already counts as written. The inserts are unordered, so one of those, or one that
        is refused, does not keep the others out.
        """
        newest = max((entry for _, entry in messages), key=lambda entry: entry.seq)
        try:
            await self._note(newest.seq, newest.message.ts)
            result = await self._messages.insert_many([_document(*each) for each in messages], ordered=False)
        except BulkWriteError as error:
            return added_despite(error, [entry.seq for _, entry in messages])
        except PyMongoError as error:
            raise failed(error) from error
        return len(result.inserted_ids)

    async def add_dead_letter(self, seq: int, subject: str, payload: bytes, reason: str) -> None:
        """Keep a message aside that cannot be read; idempotent; raises `WriteFailedError`."""
        letter = {"_id": seq, "subject": subject, "payload": payload, "reason": reason}
        try:
            await self._note(seq)
            await self._dead_letters.insert_one(letter)
        except DuplicateKeyError:
            return
        except PyMongoError as error:
            raise failed(error) from error

    async def known(self) -> Known:
        """How far history has heard of the stream; raises `WriteFailedError`."""
        try:
            state = await self._state.find_one({"_id": "messages"})
        except PyMongoError as error:
            raise failed(error) from error
        if state is None:
            return Known(0, None)
        newest_ts = state.get("newest_ts")
        return Known(int(state["highest_seq"]), None if newest_ts is None else int(newest_ts))

    async def note_seq(self, seq: int) -> None:
        """Let `highest_seq` be no less than `seq`; raises `WriteFailedError`."""
        try:
            await self._note(seq)
        except PyMongoError as error:
            raise failed(error) from error

    async def _note(self, seq: int, ts: int | None = None) -> None:
        change: Document = {"$max": {"highest_seq": seq}}
        if ts is not None:
            change["$set"] = {"newest_ts": ts}  # no $max: one clock that was wrong would stay for ever
        await self._state.update_one({"_id": "messages"}, change, upsert=True)

    async def last_seq(self, room: str) -> int:
        """The highest seq of `room`, 0 for none. Raises `ParleyError`."""
        try:
            newest = await self._messages.find_one({"room": room}, {"seq": 1}, sort=[("seq", DESCENDING)])
        except PyMongoError as error:
            raise unavailable() from error
        return int(newest["seq"]) if newest else 0

    async def newest(self, room: str, after: int, upto: int, limit: int) -> list[Entry]:
        """The last `limit` messages of `room` with ``after < seq <= upto``, in order. Raises `ParleyError`."""
        return [_entry(each) for each in await self._newest(room, after, upto, limit)]

    async def newest_authors(self, room: str, after: int, upto: int, limit: int) -> list[Written]:
        """Who wrote them. Raises as `newest`, and soon: whoever counts does not wait."""
        with pymongo.timeout(_COUNTING_SECONDS):
            found = await self._newest(room, after, upto, limit, width=_COUNTING_WINDOW, fields=("seq", "user"))
        return [Written(int(each["seq"]), each["user"]) for each in found]

    async def oldest(self, room: str, after: int, upto: int, limit: int) -> list[Entry]:
        """The first `limit` messages of `room` with ``after < seq <= upto``, in order. Raises `ParleyError`."""
        found: list[Document] = []
        width = _FIRST_WINDOW
        while upto > after and len(found) < limit:
            high = min(upto, after + width)
            found += await self._range(room, after, high, limit - len(found), direction=ASCENDING)
            after, width = high, width * 8
        return [_entry(each) for each in found]

    async def _newest(
        self,
        room: str,
        after: int,
        upto: int,
        limit: int,
        *,
        width: int = _FIRST_WINDOW,
        fields: tuple[str, ...] | None = None,
    ) -> list[Document]:
        found: list[Document] = []
        while upto > after and len(found) < limit:
            low = max(after, upto - width)
            found = [
                *await self._range(room, low, upto, limit - len(found), direction=DESCENDING, fields=fields),
                *found,
            ]
            upto, width = low, width * 8
        return found

    async def _range(
        self, room: str, after: int, upto: int, limit: int, *, direction: int, fields: tuple[str, ...] | None = None
    ) -> list[Document]:
        query = {"room": room, "seq": {"$gt": after, "$lte": upto}}
        try:
            documents = await self._messages.find(query, fields).sort("seq", direction).limit(limit).to_list(limit)
        except PyMongoError as error:
            raise unavailable() from error
        return documents if direction == ASCENDING else documents[::-1]


def _document(room: str, entry: Entry) -> Document:
    seq, message, _ = entry
    document = {
        "room": room,
        "seq": seq,
        "user": message.author.id,
        "id": message.id,
        "name": message.author.display_name,
        "body": message.body,
        "ts": message.ts,
    }
    if message.data is not JSON_ABSENT:
        document["data"] = bytes(message.data).decode()
    return document


def _entry(document: Document) -> Entry:
    message = ChatMessage(
        id=document["id"],
        author=Author(id=document["user"], display_name=document["name"]),
        body=document["body"],
        ts=int(document["ts"]),
        data=Raw(document["data"]) if "data" in document else JSON_ABSENT,
    )
    # int: BSON's 64-bit integers come as a type of their own.
    return Entry(int(document["seq"]), message)
