"""What one member writes down for the checker: every stay in every room, and the longest silence."""

import time
from collections.abc import Iterable
from typing import Any

from checker.account import Place, Stay
from checker.ledger import Ledger


class Diary:
    """One member's part of the account."""

    def __init__(self, name: str, ledger: Ledger) -> None:
        self._name = name
        self._ledger = ledger
        self._stays: dict[str, Stay] = {}
        self._outside: dict[str, Stay] = {}
        """Rooms that the member is not in; what comes of them is written down here."""
        self._heard_at = 0.0
        self._is_hushed = False
        self.longest_silence = 0.0

    def heard(self, message: dict[str, Any]) -> None:
        """A message came, wherever it belongs."""
        room = message["room"]
        stay = self._outside.get(room) or self._stays.get(room)
        if stay is None:
            stay = self._outside[room] = self._ledger.intrudes(self._name, room)
        self._ledger.received(stay, place(message))
        self._note_silence()
        self._heard_at = 0.0 if self._is_hushed else time.monotonic()

    def hush(self) -> None:
        """From here on silence is no news."""
        self._note_silence()
        self._is_hushed, self._heard_at = True, 0.0

    def position(self, room: str) -> int | None:
        """Where to resume; None: from now on."""
        return self._ledger.position(self._stays[room]) if room in self._stays else None

    def arrives(self, room: str) -> Stay:
        """The member asks to join `room`, from `position` on; with that, an earlier stay of it is over."""
        after = self.position(room)
        if room in self._stays:
            self._ledger.asks_again(self._stays[room])
        stay = self._stays[room] = self._ledger.arrives(self._name, room, after)
        return stay

    def recovers(self, rooms: Iterable[str]) -> None:
        """The server says that the member is in `rooms` again, without having asked."""
        for room in rooms:
            self._ledger.lasts(self.arrives(room))

    def disconnected(self) -> None:
        """All stays end."""
        for stay in self._stays.values():
            self._ledger.cut_off(stay)

    def leaves(self, room: str) -> None:
        """The member has left: nothing of `room` may come until it `returns`."""
        self._ledger.cut_off(self._stays[room])
        self._outside[room] = self._ledger.intrudes(self._name, room)

    def returns(self, room: str) -> None:
        """The member is about to join `room` again."""
        self._outside.pop(room, None)

    def _note_silence(self) -> None:
        if self._heard_at:
            self.longest_silence = max(self.longest_silence, time.monotonic() - self._heard_at)


def place(message: dict[str, Any]) -> Place:
    """Where a message that somebody saw stands."""
    return Place(message["seq"], message["prev"], message["id"])
