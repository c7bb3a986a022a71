"""Random runs of rooms and readers, in two processes, some of which are lied to; written down twice.

Once by ledgers, as load tests do, and once as plain lists in the order of what happened.
"""

from random import Random
from typing import Final

import msgspec

from checker.account import Account, Acknowledged, Place, Stay
from checker.ledger import Ledger

ROOMS: Final = ("a", "b")


class Reader:
    """In one room; it has seen the first `at` messages of it."""

    def __init__(self, name: str, room: str, process: "Process") -> None:
        self.name, self.room, self.process = name, room, process
        self.at = 0
        self.began = 0
        """What `at` was when it asked to join."""
        self.resumes: int | None = None
        self.stay: Stay | None = None
        self.plain = Stay(name, room)


class Process:
    """A ledger, and what is in it once more."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.stays: list[tuple[Stay, Stay]] = []

    def note(self, stay: Stay) -> tuple[Stay, Stay]:
        """A new stay of the ledger's, and its plain twin."""
        both = (stay, Stay(stay.reader, stay.room, stay.after, [], upto=stay.upto, member=stay.member))
        self.stays.append(both)
        return both

    def is_settled(self) -> bool:
        """What the ledger should say, the long way."""
        ends: dict[str, int] = {}
        for each in self.ledger.account.acknowledged:
            ends[each.room] = max(each.seq, ends.get(each.room, 0))
        for _, plain in self.stays:
            for place in plain.received:
                ends[plain.room] = max(place.seq, ends.get(plain.room, 0))
        return all((plain.position or 0) >= ends.get(plain.room, 0) for _, plain in self.stays if plain.lasted)


class World:
    """`lies`: how many in a hundred messages are told wrongly."""

    def __init__(self, random: Random, lies: int) -> None:
        self.processes = [Process(), Process()]
        self.history: dict[str, list[Place]] = {room: [] for room in ROOMS}
        self._random, self._lies = random, lies
        self._messages: dict[str, list[Place]] = {room: [] for room in ROOMS}
        self._seq, self._sent = 0, 0
        self._readers = [Reader(f"r{n}", ROOMS[n % 2], self.processes[n // 2 % 2]) for n in range(8)]

    def run(self, steps: int) -> None:
        """Something happens so often; then everybody is told the rest, and the history is read."""
        for _ in range(steps):
            reader = self._random.choice(self._readers)
            match self._random.randrange(6):
                case 0 | 1:
                    self._say(reader)
                case 2 if reader.stay is not None:
                    self._cut_off(reader, reader.stay)
                case 3 if reader.stay is None:
                    self._join(reader)
                case _:
                    self._catch_up(reader)
            for process in self.processes:
                assert process.ledger.is_settled == process.is_settled()
        for reader in self._readers:
            self._catch_up(reader)
        for room in ROOMS:
            for place in self._messages[room]:
                self.history[room] += self._lied(place)

    def plain(self) -> Account:
        """The run as plain lists."""
        account = Account(history=self.history)
        for process in self.processes:
            theirs = process.ledger.account
            account.add(Account(theirs.acknowledged, theirs.unconfirmed, theirs.refused))
            account.stays += [
                msgspec.structs.replace(plain, after=stay.after) if stay.after is not None else plain
                for stay, plain in process.stays
            ]
        return account

    def compact(self) -> Account:
        """The run as the processes hand it over."""
        account = Account()
        for process in self.processes:
            written = msgspec.msgpack.encode(process.ledger.account)
            account.add(msgspec.msgpack.decode(written, type=Account))
        account.history = self.history
        return msgspec.json.decode(msgspec.json.encode(account), type=Account)

    def _say(self, reader: Reader) -> None:
        room, ledger, stored = reader.room, reader.process.ledger, self._messages[reader.room]
        self._sent += 1
        id = f"m{self._sent}"
        ledger.sending(id)
        assert not ledger.is_settled
        outcome = self._random.randrange(6)
        if outcome > 1:
            self._seq += self._random.randint(1, 3)
            stored.append(Place(self._seq, stored[-1].seq if stored else 0, id))
        if outcome > 2:
            ledger.sent(room, self._seq, id, reader.name)
        elif outcome:
            ledger.gave_up()  # 1: it is nowhere, 2: it is stored
        else:
            ledger.refused(id)

    def _cut_off(self, reader: Reader, stay: Stay) -> None:
        ledger = reader.process.ledger
        ledger.cut_off(stay)
        reader.stay, reader.plain.lasted, reader.resumes = None, False, ledger.position(stay)
        if reader.resumes != stay.position:
            reader.at = reader.began  # nobody can say whether something was left out: it is told all of it again

    def _join(self, reader: Reader) -> None:
        process, stored = reader.process, self._messages[reader.room]
        after = None if reader.at == 0 or self._random.randrange(3) == 0 else reader.resumes
        before = reader.resumes or 0
        reader.stay, reader.plain = process.note(process.ledger.arrives(reader.name, reader.room, after))
        end = stored[-1].seq if stored else 0
        if after is None:
            reader.at = len(stored)
        reader.began = reader.at
        is_answered = self._random.randrange(5) > 0
        may_leave_out = after is not None and len(stored) - reader.at > 2
        left_out = self._random.randrange(3) if may_leave_out else 0
        missed = stored[reader.at : reader.at + left_out]
        reader.at += left_out
        if left_out or self._random.randrange(2):
            self._catch_up(reader)
        if not is_answered:
            return  # it hears what is said, and is not sure of anything
        process.ledger.joined(reader.stay, end, truncated=bool(left_out))
        reader.plain.after, reader.plain.lasted = reader.stay.after, True
        if missed:
            paged = process.note(process.ledger.pages_back(reader.name, reader.room, before, reader.stay.after or 0))
            for place in missed:
                self._tell(process, paged, place)

    def _catch_up(self, reader: Reader) -> None:
        if reader.stay is None:
            return
        stored = self._messages[reader.room]
        told, reader.at = stored[reader.at :], len(stored)
        for place in told:
            self._tell(reader.process, (reader.stay, reader.plain), place)

    def _tell(self, process: Process, both: tuple[Stay, Stay], place: Place) -> None:
        stay, plain = both
        assert isinstance(plain.received, list)
        for each in self._lied(place):
            process.ledger.received(stay, Place(*msgspec.structs.astuple(each)))
            plain.received.append(each)

    def _lied(self, place: Place) -> list[Place]:
        if self._random.randrange(100) >= self._lies:
            return [place]
        seq, prev, id = msgspec.structs.astuple(place)
        others = [each for messages in self._messages.values() for each in messages]
        other = self._random.choice(others)
        return self._random.choice(
            [
                [],
                [place, place],
                [Place(seq, prev - 1, id)],
                [Place(seq + 1, prev, id)],
                [Place(seq, prev, f"ghost-{id}")],
                [other],
                [place, other],
                [Place(other.seq, prev, other.id)],
            ]
        )


def acknowledged(account: Account, room: str) -> list[Acknowledged]:
    """In `room`."""
    return [each for each in account.acknowledged if each.room == room]
