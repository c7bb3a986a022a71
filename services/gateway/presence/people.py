"""Who is in one room, and who has still to be told of it: users of this gateway, and of others. Rules, no I/O."""

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from services.gateway.presence.heard import Heard
from services.gateway.rooms import Room
from wire.messages import Author
from wire.presence import MEMBERS_MOST


class Person:
    """A user who is in the room, or of whom somebody has still to be told that they are not."""

    __slots__ = ("at", "author", "here", "said", "shown")

    def __init__(self, author: Author) -> None:
        self.author: Final = author
        self.here = 0
        """Their sockets at this gateway."""
        self.at: tuple[str, ...] = ()
        """The other gateways where they are."""
        self.said = False
        """Whether the other gateways were told that they are here."""
        self.shown = False
        """Whether members were told that they are online."""


class Said(NamedTuple):
    """A change at this gateway, for the others."""

    version: int
    online: tuple[Author, ...]
    offline: tuple[str, ...]


class Change(NamedTuple):
    """Somebody has come or gone, for the members: but not the connection `skip`, which it is."""

    author: Author
    online: bool
    skip: str | None


class People:
    """Of `room`. `version` is one at which nobody is here."""

    __slots__ = ("count", "people", "room", "unsaid", "unshown", "version")

    def __init__(self, room: Room, version: int) -> None:
        self.room: Final = room
        self.version = version
        """Of what was said of this gateway's own."""
        self.people: dict[str, Person] = {}
        self.count = 0
        """How many of them members were told of."""
        self.unsaid: dict[str, None] = {}
        """Of whom the other gateways may have to be told."""
        self.unshown: dict[str, str | None] = {}
        """Of whom the members may have to be told, and which of them need not."""

    def enter(self, user: str, name: str, connection: str) -> bool:
        """One more socket of `user`; returns whether it is the first here."""
        person = self.people.get(user)
        if person is None:
            person = self.people[user] = Person(Author(id=user, display_name=name))
        person.here += 1
        if person.here > 1:
            return False
        self.unsaid[user] = None
        self.unshown[user] = connection
        return True

    def leave(self, user: str) -> bool:
        """One less; returns whether it was the last here."""
        person = self.people[user]
        person.here -= 1
        if person.here:
            return False
        self.unsaid[user] = None
        self.unshown[user] = None
        return True

    def say(self) -> Iterator[Said]:
        """What has changed here since it was said: each part a version of its own."""
        unsaid, self.unsaid = self.unsaid, {}
        changed = [
            person for each in unsaid if (person := self.people.get(each)) and person.said != (person.here > 0)
        ]
        for start in range(0, len(changed), MEMBERS_MOST):
            part = changed[start : start + MEMBERS_MOST]
            for person in part:
                person.said = not person.said
            self.version += 1
            online = tuple(person.author for person in part if person.said)
            yield Said(self.version, online, tuple(person.author.id for person in part if not person.said))
        for person in changed:
            self._settle(person)

    def own(self) -> list[Author]:
        """Who was said to be here, at `version`."""
        return [person.author for person in self.people.values() if person.said]

    def show(self) -> list[Change]:
        """What has changed since members were told: to be told now, each once."""
        unshown, self.unshown = self.unshown, {}
        changes = []
        for user, skip in unshown.items():
            person = self.people.get(user)
            if person is None:
                continue
            online = bool(person.here or person.at)
            if online != person.shown:
                person.shown = online
                self.count += 1 if online else -1
                changes.append(Change(person.author, online, skip))
            self._settle(person)
        return changes

    def shown(self, most: int) -> list[Author]:
        """At most so many of those who members were told are online."""
        return list(islice((person.author for person in self.people.values() if person.shown), most))

    def _come(self, author: Author, heard: Heard) -> None:
        person = self.people.get(author.id)
        if person is None:
            person = self.people[author.id] = Person(author)
        if heard.name not in person.at:
            person.at = (*person.at, heard.name) if person.at else heard.alone
            heard.users += 1
            self.unshown.setdefault(author.id, None)

    def _go(self, user: str, heard: Heard) -> None:
        person = self.people.get(user)
        if person is not None and heard.name in person.at:
            person.at = tuple(each for each in person.at if each != heard.name)
            heard.users -= 1
            self.unshown.setdefault(user, None)

    def _settle(self, person: Person) -> None:
        if not (person.here or person.at or person.said or person.shown):
            self.people.pop(person.author.id, None)
