"""What the users write down while they chat; without I/O, and for one thread (or gevent's one)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from checker.account import Account, Acknowledged, Place, Stay
from checker.received import Received


class Ledger:
    """Keeps the account, and knows when everything that was sent has arrived."""

    def __init__(self) -> None:
        self.account = Account()
        self._under_way = 0
        self._rooms: set[str] = set()
        self._ends: dict[str, int] = {}
        self._lasting: defaultdict[str, dict[int, Stay]] = defaultdict(dict)
        self._asked: dict[int, int] = {}
        """By stay, from where on its reader asked to be told, while nobody has answered that."""
        self._unanswered: dict[int, int] = {}
        """The same of stays whose connection went away before an answer came."""
        self._stirred: set[str] = set()
        """The rooms of which it is not known that all lasting stays are at the end: others need no look."""

    @property
    def rooms(self) -> list[str]:
        """The rooms in which a message was acknowledged."""
        return sorted(self._rooms)

    @property
    def under_way(self) -> int:
        """How many messages were sent whose outcome is awaited."""
        return self._under_way

    @property
    def ends(self) -> dict[str, int]:
        """By room, the newest seq that is known: acknowledged, seen, or told of."""
        return dict(self._ends)

    @property
    def is_settled(self) -> bool:
        """No outcome is awaited, and every lasting stay has come to the last that is known to be in its room.

        May be asked often: it looks only at rooms in which something happened, and no further than the first stay
        that lags behind.
        """
        if self._under_way:
            return False
        while self._stirred:
            room = self._stirred.pop()
            if any(True for _ in self._behind(room)):
                self._stirred.add(room)
                return False
        return True

    def behind(self) -> list[Stay]:
        """The lasting stays that lack the last message that was acknowledged, seen, or told of, in their room."""
        return [stay for room in self._lasting for stay in self._behind(room)]

    def told(self, ends: Mapping[str, int]) -> None:
        """Somebody else knows of messages up to these seqs, by room: they are owed here, too."""
        for room, seq in ends.items():
            self._rise(room, seq)

    # --- sending --------------------------------------------------------------------------------------------------

    def sending(self, id: str) -> None:
        """Message `id` is about to be sent; end with `sent`, `refused` or `gave_up`."""
        self._under_way += 1
        self.account.unconfirmed.add(id)

    def sent(self, room: str, seq: int, id: str, sender: str = "") -> None:
        """It was acknowledged; a `sender` is named who waits for that before they send the next one to this room."""
        self._under_way -= 1
        self.account.unconfirmed.discard(id)
        self.account.acknowledged.append(Acknowledged(room, seq, id, sender))
        self._rooms.add(room)
        self._rise(room, seq)

    def refused(self, id: str) -> None:
        """It was not stored, for certain: nobody may ever see it."""
        self._under_way -= 1
        self.account.unconfirmed.discard(id)
        self.account.refused += 1

    def gave_up(self) -> None:
        """Nobody knows whether it was stored."""
        self._under_way -= 1

    # --- receiving ------------------------------------------------------------------------------------------------

    def arrives(self, reader: str, room: str, after: int | None) -> Stay:
        """`reader` asks to join `room`, from `after` on or from now on."""
        stay = self._noted(Stay(reader, room, after))
        if after is not None:
            self._asked[id(stay)] = after
        return stay

    def intrudes(self, reader: str, room: str) -> Stay:
        """`reader` is not in `room`, and gets something of it."""
        return self._noted(Stay(reader, room, member=False))

    def pages_back(self, reader: str, room: str, after: int, upto: int) -> Stay:
        """`reader` asks history for what a truncated join left out."""
        return self._noted(Stay(reader, room, after, upto=upto))

    def joined(self, stay: Stay, seq: int, *, truncated: bool) -> None:
        """The join was acknowledged at `seq`; `truncated`: the oldest of what was missed did not come."""
        self.lasts(stay)
        if truncated and stay.received:
            stay.after = max(stay.after or 0, stay.received[0].prev)
        elif stay.after is None:
            stay.after = seq

    def lasts(self, stay: Stay) -> None:
        """It is known that its reader is in the room: from here on it lasts, until it is cut off."""
        self._held_to_all(stay)
        stay.lasted = True
        self._lasting[stay.room][id(stay)] = stay
        self._stirred.add(stay.room)

    def received(self, stay: Stay, place: Place) -> None:
        """A message came."""
        if not stay.lasted and not stay.received:
            self._begun(stay, place)
        stay.received.append(place)
        if place.seq < self._ends.get(stay.room, 0):
            self._stirred.add(stay.room)
        self._rise(stay.room, place.seq)

    def cut_off(self, stay: Stay) -> None:
        """Its connection is gone; see `position` for what its reader asks for over the next."""
        if id(stay) in self._asked:
            self._unanswered[id(stay)] = self._asked.pop(id(stay))
        self._over(stay)

    def asks_again(self, stay: Stay) -> None:
        """Its reader is about to ask once more, from the last that came, be it over the same connection."""
        self._held_to_all(stay)
        self._over(stay)

    def position(self, stay: Stay) -> int | None:
        """Where its reader resumes over another connection: after the last that came, but for one case.

        When a join was not answered, and what came begins above what was asked for, nobody can say whether the oldest
        was left out, which a lost answer would have told (`truncated`), or lost. So what came counts from its first
        on, and all of it is to be asked for again: the next stay is held to it.
        """
        asked = self._unanswered.get(id(stay))
        return stay.position if asked is None or asked == stay.after else asked

    # --- within ---------------------------------------------------------------------------------------------------

    def _begun(self, stay: Stay, place: Place) -> None:
        """With `place`, before anybody said that its reader is in the room."""
        asked = self._asked.get(id(stay), self._unanswered.get(id(stay)))
        if asked is not None and place.prev > asked:
            stay.after = place.prev

    def _held_to_all(self, stay: Stay) -> None:
        """Of what it asked for, from the first on."""
        if id(stay) in self._asked:
            stay.after = self._asked.pop(id(stay))

    def _over(self, stay: Stay) -> None:
        stay.lasted = False
        self._lasting[stay.room].pop(id(stay), None)

    def _noted(self, stay: Stay) -> Stay:
        stay.received = Received(self.account.log(stay.room))
        self.account.stays.append(stay)
        return stay

    def _behind(self, room: str) -> Iterable[Stay]:
        end = self._ends.get(room, 0)
        return (stay for stay in self._lasting[room].values() if (stay.position or 0) < end)

    def _rise(self, room: str, seq: int) -> None:
        if seq > self._ends.get(room, 0):
            self._ends[room] = seq
            self._stirred.add(room)
