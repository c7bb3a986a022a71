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
        return self._noted(Stay(reader, room, after))

    def intrudes(self, reader: str, room: str) -> Stay:
        """`reader` is not in `room`, and gets something of it."""
        return self._noted(Stay(reader, room, member=False))

    def pages_back(self, reader: str, room: str, after: int, upto: int) -> Stay:
        """`reader` asks history for what a truncated join left out."""
        return self._noted(Stay(reader, room, after, upto=upto))

    def joined(self, stay: Stay, seq: int, *, truncated: bool) -> None:
        """The join was acknowledged at `seq`; `truncated`: the oldest of what was missed did not come."""
        if truncated and stay.received:
            stay.after = max(stay.after or 0, stay.received[0].prev)
        elif stay.after is None:
            stay.after = seq
        self.lasts(stay)

    def lasts(self, stay: Stay) -> None:
        """It is known that its reader is in the room: from here on it lasts, until it is cut off."""
        stay.lasted = True
        self._lasting[stay.room][id(stay)] = stay
        self._stirred.add(stay.room)

    def received(self, stay: Stay, place: Place) -> None:
        """A message came."""
        stay.received.append(place)
        if place.seq < self._ends.get(stay.room, 0):
            self._stirred.add(stay.room)
        self._rise(stay.room, place.seq)

    def cut_off(self, stay: Stay) -> None:
        """Its connection is gone."""
        stay.lasted = False
        self._lasting[stay.room].pop(id(stay), None)

    # --- within ---------------------------------------------------------------------------------------------------

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
