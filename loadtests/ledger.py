"""What the users write down while they chat; without I/O, and for one thread (or gevent's one)."""

from loadtests.account import Account, Acknowledged, Place, Stay


class Ledger:
    """Keeps the account, and knows when everything that was sent has arrived."""

    def __init__(self) -> None:
        self.account = Account()
        self._under_way = 0
        self._last_seq: dict[str, int] = {}

    @property
    def rooms(self) -> list[str]:
        """The rooms in which a message was acknowledged."""
        return sorted(self._last_seq)

    @property
    def is_settled(self) -> bool:
        """No outcome is awaited, and every lasting stay has come to its room's last acknowledged message."""
        return self._under_way == 0 and all(
            (stay.position or 0) >= self._last_seq.get(stay.room, 0) for stay in self.account.stays if stay.lasted
        )

    # --- sending --------------------------------------------------------------------------------------------------

    def sending(self, id: str) -> None:
        """Message `id` is about to be sent; end with `sent`, `refused` or `gave_up`."""
        self._under_way += 1
        self.account.unconfirmed.add(id)

    def sent(self, room: str, seq: int, id: str) -> None:
        """It was acknowledged."""
        self._under_way -= 1
        self.account.unconfirmed.discard(id)
        self.account.acknowledged.append(Acknowledged(room, seq, id))
        self._last_seq[room] = max(seq, self._last_seq.get(room, 0))

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

    def joined(self, stay: Stay, seq: int, *, truncated: bool) -> None:
        """The join was acknowledged at `seq`; `truncated`: the oldest of what was missed did not come."""
        stay.lasted = True
        if truncated and stay.received:
            stay.after = stay.received[0].prev
        elif stay.after is None:
            stay.after = seq

    @staticmethod
    def received(stay: Stay, place: Place) -> None:
        """A message came."""
        stay.received.append(place)

    @staticmethod
    def cut_off(stay: Stay) -> None:
        """Its connection is gone."""
        stay.lasted = False
