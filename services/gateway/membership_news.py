"""Telling users that they have become members of private rooms, or are none any more, while it is so."""

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.pushes import Added, Removed, event
from services.gateway.roster import Roster
from wire.control import MembersChanged


class Abreast(Protocol):
    """Whether all that was announced is known: `Control`."""

    @property
    def is_abreast(self) -> bool:
        """See `Control`."""


class MembershipNews:
    """Tells whoever is here when a change comes, on all their devices, and nobody who comes later.

    A gateway that reads up what it missed hears of changes that others have undone since: it tells what is left of
    them by the end, once `settle` is called.
    """

    def __init__(self, control: Abreast, roster: Roster, fan_out: FanOut) -> None:
        self._control = control
        self._roster = roster
        self._fan_out = fan_out
        self._waiting: Final[dict[tuple[str, str], _News]] = {}
        """The last of each user and room, for whom of their connections were here."""

    def note(self, change: MembersChanged, put_out: Collection[Connection] = ()) -> None:
        """To be called with each change, in its order; `put_out` were in the room, and have been told."""
        room = change.room
        if change.removed:
            packet = event("removed", Removed(room, change.reason or "removed"))
            for user in change.removed:
                others = tuple(each for each in self._roster.of(user) if each not in put_out)
                self._note(user, room, _News("removed", packet, others))
        if change.added:
            packet = event("added", Added(room))
            for user in change.added:
                self._note(user, room, _News("added", packet, self._roster.of(user)))

    def settle(self) -> None:
        """All that was announced is known."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for news in waiting:
            self._tell(news)

    def _note(self, user: str, room: str, news: "_News") -> None:
        self._waiting.pop((user, room), None)
        if not news.connections:
            return
        if self._control.is_abreast:
            self._tell(news)
        else:
            self._waiting[user, room] = news

    def _tell(self, news: "_News") -> None:
        for connection in news.connections:
            if connection.may_be_told:
                metrics.deliveries[news.name,] += 1
                self._fan_out.send(connection, news.packet)


class _News(NamedTuple):
    """An event, and who is to be told it."""

    name: str
    packet: bytes
    connections: tuple[Connection, ...]
