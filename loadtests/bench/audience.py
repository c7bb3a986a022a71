"""The audience of a room: who has heard how many of its messages, and when all have heard the next."""

from collections.abc import Callable


class Audience:
    """The members of a room, counted by how many messages they have heard. One step is two list writes.

    `on_heard` is called once for each message, in order, as soon as every member has heard it.
    """

    __slots__ = ("_at", "excess", "heard", "members", "on_heard", "room", "said")

    def __init__(self, room: str, members: int, on_heard: Callable[["Audience"], None] | None = None) -> None:
        self.room = room
        self.members = members
        self.on_heard = on_heard
        self.said = 0
        self.heard = 0
        """By every member."""
        self.excess = 0
        """Deliveries that were not due: any makes a measurement void."""
        self._at = [members]

    def say(self) -> None:
        """One more message is on its way. Call it before the message is sent."""
        self.said += 1
        self._at.append(0)

    def moved(self, before: int, after: int) -> None:
        """A member that had heard `before` messages has heard `after` now."""
        if after > self.said:
            self.excess += after - self.said
            return
        at = self._at
        at[before] -= 1
        at[after] += 1
        while not at[self.heard] and self.heard < self.said:
            self.heard += 1
            if self.on_heard is not None:
                self.on_heard(self)
