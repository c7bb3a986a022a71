"""What one gateway has heard from another of one room."""

from typing import Final

from wire.messages import Author
from wire.presence import PresenceSnapshot


class Heard:
    """Nothing yet, when it is made."""

    __slots__ = ("_parts", "_version", "alone", "asked_at", "heard_at", "name", "users", "version")

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.alone: Final = (name,)
        """For all who are there alone."""
        self.version = -1
        self.users = 0
        """How many it has in the room."""
        self.heard_at = 0.0
        self.asked_at = float("-inf")
        self._version = -1
        self._parts: dict[int, list[Author]] | None = None
        """Of a snapshot, which has that version."""

    def complete(self, message: PresenceSnapshot) -> list[Author] | None:
        """All members of the snapshot that `message` is the last part of; None before that, and for an old one."""
        if message.version <= self.version:
            return None
        if message.parts == 1:
            self._parts = None
            return message.members
        if self._parts is None or self._version != message.version:
            self._parts, self._version = {}, message.version
        self._parts[message.part] = message.members
        if len(self._parts) < message.parts:
            return None
        members = [author for part in self._parts.values() for author in part]
        self._parts = None
        return members
