"""Changes of private rooms: stored whatever others change meanwhile, and then heard of by all gateways."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from weakref import WeakValueDictionary

from services.auth import groups
from services.auth.announcing import Announcer
from services.auth.groups import Room
from services.auth.room_store import RoomStore
from wire.errors import ErrorCode, ParleyError
from wire.membership import NOT_A_MEMBER

Rule = Callable[[Room], Room]
"""What a room becomes; itself, if there is nothing to change. May raise `ParleyError`."""

_SECONDS: Final = 5.0
"""For one change, while others change the same room."""
_RETRY_SECONDS: Final = 0.02
_MEND_SECONDS: Final = 5.0
_MENDED_MOST: Final = 100


class NotAMemberError(ParleyError):
    """Or there is no such room."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.FORBIDDEN, NOT_A_MEMBER)


class RoomChanges:
    """Stores and announces.

    A change that was stored and could not be announced is unavailable; whoever asks for it again, or for any other
    change of that room, has it announced. So does `mend`, if nobody asks.
    """

    def __init__(self, store: RoomStore, announcer: Announcer) -> None:
        self._store = store
        self._announcer = announcer
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of rooms that many change at once: they would only be in each other's way."""

    async def change(
        self, room: str, by: str, rule: Rule, *, before_storing: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Make of `room` what `rule` makes of it, if `by` is a member; if others come first, of what it is by then.

        Raises `NotAMemberError`, what `rule` and `before_storing` raise, and `ParleyError`: unavailable.
        """
        changed = await self._try(room, by, rule, before_storing)
        if changed is None:
            changed = await self._try_in_turn(room, by, rule)
        await self.announce(changed)

    async def announce(self, room: Room) -> None:
        """Have gateways hear what they have not heard of `room`. Raises `ParleyError`: unavailable, rate_limited."""
        news = groups.announcements(room)
        for each in news:
            await self._announcer.members_changed(each)
        if news:
            with suppress(ParleyError):  # then it is told again, which changes nothing
                await self._store.announced(room)

    async def mend(self) -> None:
        """Announce, for ever, what whoever has stored it did not live to announce."""
        before: set[tuple[str, int]] = set()
        while True:
            await asyncio.sleep(_MEND_SECONDS)
            with suppress(ParleyError):
                rooms = await self._store.unannounced(_MENDED_MOST)
                overdue = [each for each in rooms if (each.id, each.revision) in before]
                before = {(each.id, each.revision) for each in rooms}
                for each in overdue:
                    await self.announce(each)

    async def _try_in_turn(self, id: str, by: str, rule: Rule) -> Room:
        # Only members come here: nobody else finds out that others wait.
        turn = self._turns.setdefault(id, asyncio.Lock())
        try:
            async with asyncio.timeout(_SECONDS), turn:
                while True:
                    changed = await self._try(id, by, rule)
                    if changed is not None:
                        return changed
                    # Another instance was quicker.
                    await asyncio.sleep(random.uniform(0, _RETRY_SECONDS))  # noqa: S311
        except TimeoutError:
            raise ParleyError(ErrorCode.UNAVAILABLE, "too many change this room at once", retry_after=1) from None

    async def _try(
        self, id: str, by: str, rule: Rule, before_storing: Callable[[], Awaitable[None]] | None = None
    ) -> Room | None:
        """The room after the change; None if somebody else's has come between."""
        room = await self._store.of_member(id, by)
        if room is None:
            raise NotAMemberError
        changed = rule(room)
        if changed is room:
            return room
        if before_storing is not None:
            await before_storing()
        return changed if await self._store.replace(room, changed) else None
