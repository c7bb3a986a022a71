"""What the users write down while they chat; without I/O, and for one thread (or gevent's one)."""

from checker.account import Account, Acknowledged, Place, Stay


class Ledger:
    """Keeps the account, and knows when everything that was sent has arrived."""

    def __init__(self) -> None:
        self.account = Account()
        self._under_way = 0
        self._rooms: set[str] = set()
        self._last_seq: dict[str, int] = {}

    @property
    def rooms(self) -> list[str]:
        """The rooms in which a message was acknowledged."""
        return sorted(self._rooms)

    @property
    def is_settled(self) -> bool:
        """No outcome is awaited, and every lasting stay has come to the last that is known to be in its room."""
        return self._under_way == 0 and not self.behind()

    def behind(self) -> list[Stay]:
        """The lasting stays that lack the last message that was acknowledged, or that anybody saw, in their room."""
        lasting = [stay for stay in self.account.stays if stay.lasted]
        return [stay for stay in lasting if (stay.position or 0) < self._last_seq.get(stay.room, 0)]

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

    def gave_up(self) -> None:
        """Nobody knows whether it was stored."""
        self._under_way -= 1

    # --- receiving ------------------------------------------------------------------------------------------------

    def arrives(self, reader: str, room: str, after: int | None) -> Stay:
        """`reader` asks to join `room`, from `after` on or from now on."""
        stay = Stay(reader, room, after)
        self.account.stays.append(stay)
        return stay

    def intrudes(self, reader: str, room: str) -> Stay:
        """`reader` is not in `room`, and gets something of it."""
        stay = Stay(reader, room, member=False)
        self.account.stays.append(stay)
        return stay

    def pages_back(self, reader: str, room: str, after: int, upto: int) -> Stay:
        """`reader` asks history for what a truncated join left out."""
        stay = Stay(reader, room, after, upto=upto)
        self.account.stays.append(stay)
        return stay

    def joined(self, stay: Stay, seq: int, *, truncated: bool) -> None:
        """The join was acknowledged at `seq`; `truncated`: the oldest of what was missed did not come."""
        stay.lasted = True
        if truncated and stay.received:
            stay.after = max(stay.after or 0, stay.received[0].prev)
        elif stay.after is None:
            stay.after = seq

    def received(self, stay: Stay, place: Place) -> None:
        """A message came."""
        stay.received.append(place)
        self._rise(stay.room, place.seq)

    @staticmethod
    def cut_off(stay: Stay) -> None:
        """Its connection is gone."""
        stay.lasted = False

    def _rise(self, room: str, seq: int) -> None:
        self._last_seq[room] = max(seq, self._last_seq.get(room, 0))
