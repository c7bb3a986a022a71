"""Messages in MongoDB.

    messages:     {room, seq, user, id, name, body, data?, ts}     unique (room, seq), unique (room, user, id)
    dead_letters: {_id: seq, subject, payload, reason}
    state:        {_id: "messages", highest_seq}                   written before the messages it speaks of

`data` is kept as JSON text: clients may put anything in it that BSON cannot hold. Motor stays inside this module.
"""

from typing import Any, Final

from motor.motor_asyncio import AsyncIOMotorClient
from msgspec import Raw
from pymongo import ASCENDING, DESCENDING, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from runtime import secret_files
from runtime.settings import SettingsError
from runtime.stream import Entry
from services.history.refusals import added_despite, failed
from services.history.settings import DatabaseSettings
from wire.errors import ErrorCode, ParleyError
from wire.messages import JSON_ABSENT, Author, ChatMessage

_TIMEOUT_MS: Final = 3000
_WRITE_TIMEOUT_MS: Final = 20_000
_INDEXES: Final = (("room", "seq"), ("room", "user", "id"))
"""Unique."""

_FIRST_WINDOW: Final = 4096
"""Pages are read in windows of seq that widen eightfold: the embedded server sorts all that a query matches."""


class MessageStore:
    """Writes are confirmed by a majority."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Raises `SettingsError` when the URL cannot be one, or the password of its user cannot be read."""
        password = secret_files.read_if_set("MONGO_PASSWORD_FILE", settings.mongo_password_file)
        more: dict[str, Any] = {} if password is None else {"password": password}
        try:
            self._client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
                settings.mongo_url,
                serverSelectionTimeoutMS=_TIMEOUT_MS,
                connectTimeoutMS=_TIMEOUT_MS,
                socketTimeoutMS=_WRITE_TIMEOUT_MS,
                **more,
            )
        except (PyMongoError, ValueError, TypeError):
            raise SettingsError("MONGO_URL is malformed") from None  # which may hold a password
        database = self._client[settings.mongo_database]
        majority = WriteConcern(w="majority", wtimeout=_WRITE_TIMEOUT_MS)
        self._messages = database.get_collection("messages", write_concern=majority)
        self._dead_letters = database.get_collection("dead_letters", write_concern=majority)
        self._state = database.get_collection("state", write_concern=majority)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

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
        highest = max(entry.seq for _, entry in messages)
        try:
            await self._note_seq(highest)
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
            await self._dead_letters.insert_one(letter)
        except DuplicateKeyError:
            return
        except PyMongoError as error:
            raise failed(error) from error

    async def highest_seq(self) -> int:
        """No message has a higher seq, in whatever room; 0 when there is none. Raises `WriteFailedError`."""
        try:
            state = await self._state.find_one({"_id": "messages"})
        except PyMongoError as error:
            raise failed(error) from error
        return int(state["highest_seq"]) if state else 0

    async def note_seq(self, seq: int) -> None:
        """Let `highest_seq` be no less than `seq`; raises `WriteFailedError`."""
        try:
            await self._note_seq(seq)
        except PyMongoError as error:
            raise failed(error) from error

    async def _note_seq(self, seq: int) -> None:
        await self._state.update_one({"_id": "messages"}, {"$max": {"highest_seq": seq}}, upsert=True)

    async def last_seq(self, room: str) -> int:
        """The highest seq of `room`, 0 for none. Raises `ParleyError`."""
        try:
            newest = await self._messages.find_one({"room": room}, {"seq": 1}, sort=[("seq", DESCENDING)])
        except PyMongoError as error:
            raise _unavailable() from error
        return int(newest["seq"]) if newest else 0

    async def newest(self, room: str, after: int, upto: int, limit: int) -> list[Entry]:
        """The last `limit` messages of `room` with ``after < seq <= upto``, in order. Raises `ParleyError`."""
        found: list[Entry] = []
        width = _FIRST_WINDOW
        while upto > after and len(found) < limit:
            low = max(after, upto - width)
            found = [*await self._range(room, low, upto, DESCENDING, limit - len(found)), *found]
            upto, width = low, width * 8
        return found

    async def oldest(self, room: str, after: int, upto: int, limit: int) -> list[Entry]:
        """The first `limit` messages of `room` with ``after < seq <= upto``, in order. Raises `ParleyError`."""
        found: list[Entry] = []
        width = _FIRST_WINDOW
        while upto > after and len(found) < limit:
            high = min(upto, after + width)
            found += await self._range(room, after, high, ASCENDING, limit - len(found))
            after, width = high, width * 8
        return found

    async def _range(self, room: str, after: int, upto: int, direction: int, limit: int) -> list[Entry]:
        query = {"room": room, "seq": {"$gt": after, "$lte": upto}}
        try:
            documents = await self._messages.find(query).sort("seq", direction).limit(limit).to_list(limit)
        except PyMongoError as error:
            raise _unavailable() from error
        return sorted((_entry(each) for each in documents), key=lambda entry: entry.seq)


def _document(room: str, entry: Entry) -> dict[str, Any]:
    seq, message = entry
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


def _entry(document: dict[str, Any]) -> Entry:
    message = ChatMessage(
        id=document["id"],
        author=Author(id=document["user"], display_name=document["name"]),
        body=document["body"],
        ts=int(document["ts"]),
        data=Raw(document["data"]) if "data" in document else JSON_ABSENT,
    )
    # int: BSON's 64-bit integers come as a type of their own.
    return Entry(int(document["seq"]), message)


def _unavailable() -> ParleyError:
    return ParleyError(ErrorCode.UNAVAILABLE, "the message store does not answer", retry_after=2)
