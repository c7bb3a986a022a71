"""Up to where a client has what was said in each of its rooms, and how it says so itself when it comes back.

A message that is sent to a client carries an offset: of each of its rooms that it was told a message of, the seq of
the last. Whoever comes back with the offset of the last message that it has, says with it what it has of every room,
whatever else was on its way, in whichever order, and whatever its gateway had not noticed yet (ADR 12).
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from wire.ids import Id
from wire.kept_sessions import KeptRoom

ROOMS_MOST: Final = 64
"""Of one client: an offset has an entry for each."""
_KEY_BYTES: Final = 3
_KEY_LENGTH: Final = 4


class OffsetError(ValueError):
    """A client's offset is none of ours."""


class Places:
    """Of one client."""

    __slots__ = ("_begun", "_leaving", "_told", "rooms")

    def __init__(self, rooms: dict[Id, KeptRoom]) -> None:
        self.rooms: Final = rooms
        """Those that it is in."""
        self._leaving: set[str] = set()
        self._begun: tuple[str, KeptRoom] | None = None
        self._told: dict[str, str] = {}
        """The entries of the offset, by key."""

    def begin(self, room: str, after: int | None) -> None:
        """The client is about to join `room`, and to be told what came after `after`."""
        if self._begun is not None:
            self._told.pop(self._begun[1].key, None)
            self._begun = None
        if room not in self.rooms and after is not None:
            self._begun = room, KeptRoom(self._new_key(), after)

    def enter(self, room: str, last_seq: int) -> None:
        """The client gets what comes in `room` after `last_seq`."""
        if room in self.rooms:
            return
        begun, kept = self._begun or ("", None)
        if begun != room or kept is None:
            kept = KeptRoom(self._new_key(), last_seq)
        elif kept.since > last_seq:
            kept = KeptRoom(kept.key, last_seq)  # it named an `after` that nobody has reached
        self.rooms[room] = kept
        self._begun = None

    @contextmanager
    def leaving(self, room: str) -> Iterator[None]:
        """`room` is not `lasting` any more, unless the block fails; the client is in it until `leave`."""
        if room in self.rooms:
            self._leaving.add(room)
        try:
            yield
        except BaseException:
            self._leaving.discard(room)
            raise

    def leave(self, room: str) -> None:
        """Idempotent."""
        self._leaving.discard(room)
        kept = self.rooms.pop(room, None)
        if kept is not None:
            self._told.pop(kept.key, None)

    @property
    def lasting(self) -> dict[Id, KeptRoom]:
        """The rooms in which the client wants to be when it comes back."""
        return {room: kept for room, kept in self.rooms.items() if room not in self._leaving}

    def offset(self, room: str, seq: int) -> str:
        """The offset that goes with message `seq` of `room`: the client has all before it that it has a claim to."""
        kept = self.rooms.get(room)
        if kept is None and self._begun is not None and self._begun[0] == room:
            kept = self._begun[1]
        if kept is not None:
            self._told[kept.key] = f"{kept.key}{seq:x}"
        return ".".join(self._told.values())

    def proven(self, offset: str) -> "Places":
        """The same rooms, with `since` where `offset` says that the client is. Raises `OffsetError`."""
        seqs = _seqs(offset)
        return Places(
            {room: KeptRoom(kept.key, max(kept.since, seqs.get(kept.key, 0))) for room, kept in self.rooms.items()}
        )

    def _new_key(self) -> str:
        # Random: neither those of the rooms that were left, nor those of a session before, can be taken for it.
        taken = {kept.key for kept in self.rooms.values()}
        while (key := secrets.token_urlsafe(_KEY_BYTES)) in taken:
            pass
        return key


def _seqs(offset: str) -> dict[str, int]:
    entries = [each for each in offset.split(".") if each]
    try:
        seqs = {each[:_KEY_LENGTH]: int(each[_KEY_LENGTH:], 16) for each in entries}
    except ValueError:
        raise OffsetError(offset) from None
    if any(seq < 0 or seq >= 1 << 63 for seq in seqs.values()):
        raise OffsetError(offset)
    return seqs
