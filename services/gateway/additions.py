"""Telling users that they have become members of private rooms, while it is so."""

from typing import Final, Protocol

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.pushes import Added, event
from services.gateway.roster import Roster
from wire.control import MembersChanged


class Abreast(Protocol):
    """Whether all that was announced is known: `Control`."""

    @property
    def is_abreast(self) -> bool:
        """See `Control`."""


class Additions:
    """Tells whoever is here when a change comes, on all their devices, and nobody who comes later.

    A gateway that reads up what it missed hears of changes that others have undone since: it tells what is left of
    them by the end, once `settle` is called.
    """

    def __init__(self, control: Abreast, roster: Roster, fan_out: FanOut) -> None:
        self._control = control
        self._roster = roster
        self._fan_out = fan_out
        self._waiting: Final[dict[tuple[str, str], tuple[Connection, ...]]] = {}
        """Whom to tell of which user's membership of which room."""

    def note(self, change: MembersChanged) -> None:
        """To be called with each change, in its order."""
        for user in change.removed:
            self._waiting.pop((user, change.room), None)
        for user in change.added:
            connections = self._roster.of(user)
            if not connections:
                continue
            if self._control.is_abreast:
                self._tell(connections, change.room)
            else:
                self._waiting[user, change.room] = connections

    def settle(self) -> None:
        """All that was announced is known."""
        waiting = self._waiting.copy()
        self._waiting.clear()
        for (_, room), connections in waiting.items():
            self._tell(connections, room)

    def _tell(self, connections: tuple[Connection, ...], room: str) -> None:
        packet = event("added", Added(room))
        for connection in connections:
            if connection.is_open and not connection.has_left:
                metrics.deliveries["added",] += 1
                self._fan_out.send(connection, packet)
