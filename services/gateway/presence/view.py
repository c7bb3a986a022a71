"""One room, as one gateway knows it, and what becomes of it by what other gateways say. Rules, no I/O.

Of each other gateway the last version is known that it spoke of. Whatever does not follow upon that is asked for, and
is settled by a snapshot; what is older changes nothing. `now` is of the clock of `Keeper`.
"""

from collections.abc import Callable, Iterable
from typing import Final

from services.gateway.presence.heard import Heard
from services.gateway.presence.people import People
from services.gateway.rooms import Room
from wire.messages import Author
from wire.presence import PresenceChanged, PresenceSnapshot, PresenceStands, is_first, is_nobody

_ASK_AGAIN_SECONDS: Final = 1.0
"""An answer is on its way for so long."""


class View(People):
    """Each method that takes what another gateway says returns whether that one has to be asked."""

    __slots__ = ("_asked_at", "_gateways", "is_opening", "shown_at")

    def __init__(self, room: Room, version: int, now: float) -> None:
        super().__init__(room, version)
        self.is_opening = True
        """Whoever is in a snapshot now was there before the first member here, who is not told that they come."""
        self.shown_at = float("-inf")
        """When the last batch was told: see `Told`."""
        self._gateways: dict[str, Heard] = {}
        self._asked_at = now

    @property
    def others(self) -> int:
        """How many other gateways have spoken of it."""
        return len(self._gateways)

    def on_changed(self, message: PresenceChanged, now: float) -> bool:
        """Some have come and gone at another gateway."""
        heard = self._heard(message.gateway, now)
        if message.version <= heard.version:
            return False
        if message.version == heard.version + 1:
            for author in message.online:
                self._come(author, heard)
            for user in message.offline:
                self._go(user, heard)
        elif is_first(message.version):
            self._replace(heard, message.online)
        else:
            return self._ask(heard, now)
        heard.version = message.version
        return False

    def on_stands(self, message: PresenceStands, now: float) -> bool:
        """Another gateway has said all up to a version."""
        heard = self._heard(message.gateway, now)
        if message.version <= heard.version:
            return False  # an older one: it was on its way for longer than a change
        if not is_nobody(message.version):
            return self._ask(heard, now)
        self._replace(heard, ())
        heard.version = message.version
        return False

    def on_snapshot(self, message: PresenceSnapshot, now: float) -> None:
        """All who are at another gateway, or part of them."""
        heard = self._heard(message.gateway, now)
        members = heard.complete(message)
        if members is not None:
            self._replace(heard, members)
            heard.version = message.version
            for person in map(self.people.__getitem__, {author.id for author in members} if self.is_opening else ()):
                self.count += not person.shown
                person.shown = True

    def drop(self, gateway: str) -> bool:
        """Nobody is at that one any more; returns whether anybody was."""
        heard = self._gateways.pop(gateway, None)
        if heard is None or not heard.users:
            return False
        self._replace(heard, ())
        return True

    def drop_silent(self, due: Callable[[str], float]) -> bool:
        """The same for those who have not spoken of the room since it was `due`."""
        silent = [name for name, heard in self._gateways.items() if heard.heard_at < due(name)]
        return bool([each for each in silent if self.drop(each)])

    def doubt(self, now: float, due: Callable[[str], float], left: float) -> None:
        """Much may have been missed: all are asked, and whoever is silent for `left` more seconds is not there."""
        self._asked_at = now
        for name, heard in self._gateways.items():
            heard.heard_at = min(heard.heard_at, due(name) + left)

    def _heard(self, gateway: str, now: float) -> Heard:
        heard = self._gateways.get(gateway)
        if heard is None:
            heard = self._gateways[gateway] = Heard(gateway)
        heard.heard_at = now
        return heard

    def _ask(self, heard: Heard, now: float) -> bool:
        if now - max(heard.asked_at, self._asked_at) < _ASK_AGAIN_SECONDS:
            return False
        heard.asked_at = now
        return True

    def _replace(self, heard: Heard, authors: Iterable[Author]) -> None:
        new = {author.id: author for author in authors}
        if heard.users:
            for user in [user for user, each in self.people.items() if heard.name in each.at and user not in new]:
                self._go(user, heard)
        for author in new.values():
            self._come(author, heard)
