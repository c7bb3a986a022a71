"""Pages of a room, complete to the last acknowledged message (see `extents`)."""

import sys
from typing import Final

from runtime.stream import Entry, MessageStream
from services.history.extents import Extents
from services.history.store import MessageStore
from wire import codec
from wire.errors import ErrorCode, ParleyError
from wire.messages import GetPage, Page, StoredMessage

_LARGEST_PAGE: Final = 512 * 1024
"""In bytes; NATS carries 1 MiB at most."""
_PLACE_BYTES: Final = 128
"""What room, seq and prev add to a message, at most."""
_LONGEST_TAIL: Final = 2000
"""How many unpersisted messages of one room a page may gather, at one round trip each."""


class Pages:
    """Answers `GetPage`."""

    def __init__(self, stream: MessageStream, store: MessageStore, extents: Extents) -> None:
        self._stream = stream
        self._store = store
        self._extents = extents

    async def page(self, request: GetPage) -> Page:
        """The page asked for; raises `ParleyError` (unavailable) rather than leave a message out."""
        room, after, limit = request.room, request.after or 0, request.limit
        newest = request.before is not None or request.after is None
        upto = sys.maxsize if request.before is None else request.before - 1
        found = await self._read(room, after, upto, limit + 1, newest=newest)
        kept = _within_bounds(found, limit, newest=newest)
        more = len(kept) < len(found)
        if newest and more:
            prev = found[-len(kept) - 1].seq
        else:
            prev = await self._last_upto(room, after)
        messages = []
        for seq, message, _ in kept:
            messages.append(StoredMessage.of(message, room=room, seq=seq, prev=prev))
            prev = seq
        return Page(messages=messages, more=more)

    async def _last_upto(self, room: str, upto: int) -> int:
        if upto == 0:
            return 0
        if await self._stream.holds(room, upto):
            return upto  # as a rule: clients ask for what came after a message that they have
        found = await self._read(room, 0, upto, 1, newest=True)
        return found[0].seq if found else 0

    async def _read(self, room: str, after: int, upto: int, limit: int, *, newest: bool) -> list[Entry]:
        """At most `limit` messages with ``after < seq <= upto``, in order, from the end or from the beginning."""
        (extent,) = await self._extents.of(room, upto=upto)
        upto = min(upto, extent.last)
        if newest:
            tail = await self._tail(room, max(after, extent.persisted), upto)
            missing = limit - len(tail)
            if missing <= 0:
                return tail[-limit:]
            return [*await self._store.newest(room, after, min(upto, extent.persisted), missing), *tail]
        found = await self._store.oldest(room, after, min(upto, extent.persisted), limit)
        if len(found) < limit:
            found += await self._tail(room, max(after, extent.persisted), upto)
        return found[:limit]

    async def _tail(self, room: str, after: int, upto: int) -> list[Entry]:
        tail: list[Entry] = []
        async for entry in self._stream.between(room, after, upto):
            tail.append(entry)
            if len(tail) > _LONGEST_TAIL:
                raise ParleyError(ErrorCode.UNAVAILABLE, "history is catching up", retry_after=5)
        return tail


def _within_bounds(found: list[Entry], limit: int, *, newest: bool) -> list[Entry]:
    """At most `limit` of `found`, and no more than fit in one NATS message; from the end when `newest`."""
    kept: list[Entry] = []
    size = 0
    for entry in reversed(found) if newest else found:
        size += len(codec.encode(entry.message)) + _PLACE_BYTES
        if len(kept) == limit or (kept and size > _LARGEST_PAGE):
            break
        kept.append(entry)
    return kept[::-1] if newest else kept
