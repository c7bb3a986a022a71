"""What a member says: one message after the other, each sent again with the same id until its outcome is known.

Now and then one gives up on an outcome that is unknown: that message may be there, once.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

from checker.ledger import Ledger
from tests.faults.suite.line import LostError
from tests.faults.suite.member import Member

_PATIENCE_SECONDS: Final = (3.0, 8.0)
"""For an acknowledgement, before the same is sent again: below and above what the gateway itself waits."""
_RETRY_SECONDS: Final = (0.1, 0.6)
_GIVE_UP: Final = 0.05
"""How likely a member is to give up on an unknown outcome."""
_AGAIN: Final = {"unavailable", "rate_limited", "not_joined"}


class Talk:
    """What `member` says; ids begin with `name`. `complain` is called with an answer that may never come."""

    def __init__(
        self,
        name: str,
        member: Member,
        ledger: Ledger,
        rng: random.Random,
        complain: Callable[[str], None],
    ) -> None:
        self._name = name
        self._member = member
        self._ledger = ledger
        self._rng = rng
        self._complain = complain
        self._count = 0
        self._waits: list[tuple[float, float]] = []
        """From when until when it waited for each outcome."""
        self.resends = 0

    async def say(self, room: str, body: str) -> None:
        """Send one message, until its outcome is known or that is given up; one at a time."""
        self._count += 1
        id = f"{self._name}-{self._count}"
        self._ledger.sending(id)
        began = time.monotonic()
        try:
            await self._say_until_known(room, id, body)
        finally:
            self._waits.append((began, time.monotonic()))

    def longest_wait(self, since: float) -> float:
        """How long it waited for an outcome after `since`, of those that are known; in seconds."""
        return max((ended - max(began, since) for began, ended in self._waits), default=0.0)

    async def _say_until_known(self, room: str, id: str, body: str) -> None:
        unknown = False
        while code := await self._say_once(room, id, body):
            unknown = unknown or code == "unavailable"
            if code not in _AGAIN:
                self._complain(f"message {id} was answered {code}")
                return self._ledger.gave_up() if unknown else self._ledger.refused(id)
            if unknown and self._rng.random() < _GIVE_UP:
                return self._ledger.gave_up()
            self.resends += 1
            await self._pause()
        return None

    async def _say_once(self, room: str, id: str, body: str) -> str | None:
        """None once it is acknowledged, or the code of the refusal."""
        while not self._member.is_inside(room):
            await self._pause()
        payload = {"room": room, "id": id, "body": body}
        try:
            ack = await self._member.ask("message", payload, self._rng.uniform(*_PATIENCE_SECONDS))
        except (LostError, TimeoutError):
            return "unavailable"
        if not ack["ok"]:
            return str(ack["error"]["code"])
        self._ledger.sent(room, ack["seq"], id, self._name)
        return None

    async def _pause(self) -> None:
        await asyncio.sleep(self._rng.uniform(*_RETRY_SECONDS))
