"""What the members of a room are told of who comes and goes: each change in a small room, how a large one changes.

So that a thousand who come at once into a room of a thousand are not a million deliveries: whatever happens, telling
costs a room `_AT_ONCE_MOST` deliveries every few milliseconds at most, or one to each member a second.
"""

import asyncio
from typing import Final

from services.gateway.fanout import FanOut
from services.gateway.presence.view import View
from services.gateway.pushes import PresenceChange, PresenceShown, RoomPresence
from services.gateway.relay import Known

CHANGES_MOST: Final = 100
"""In one event; when there are more, it says only how many are there by now."""
_AT_ONCE_MOST: Final = 2500
_BATCH_SECONDS: Final = 1.0
_STATES: Final = ("offline", "online")


class Told:
    """Nobody is told anything while it is not known who may be here: it is told afterwards."""

    def __init__(self, fan_out: FanOut, control: Known, *, batch_above: int) -> None:
        """Rooms with more users than `batch_above` are large."""
        self._fan_out = fan_out
        self._control = control
        self._batch_above = batch_above
        self._loop = asyncio.get_running_loop()
        self._held: dict[View, None] = {}
        self._waiting: dict[View, asyncio.TimerHandle] = {}

    def show(self, view: View) -> None:
        """Tell the members what has changed, now or within a second."""
        if not view.unshown:
            return
        if not self._control.is_current:
            self._held[view] = None
        elif not view.room.members:
            view.show()
        elif len(view.people) <= self._batch_above and len(view.unshown) * len(view.room.members) <= _AT_ONCE_MOST:
            self._tell_each(view)
        elif (wait := view.shown_at + _BATCH_SECONDS - self._loop.time()) <= 0:
            self._tell_batch(view)
        elif view not in self._waiting:
            self._waiting[view] = self._loop.call_later(wait, self._on_time, view)

    def on_current(self) -> None:
        """It is known again who may be here."""
        held, self._held = self._held, {}
        for each in held:
            self.show(each)

    def forget(self, view: View) -> None:
        """Its room is closed."""
        self._held.pop(view, None)
        if (timer := self._waiting.pop(view, None)) is not None:
            timer.cancel()

    def _on_time(self, view: View) -> None:
        del self._waiting[view]
        self.show(view)

    def _tell_each(self, view: View) -> None:
        room = view.room
        for author, online, skip in view.show():
            shown = PresenceShown(room.name, author.id, author.display_name, _STATES[online])
            self._fan_out.deliver(room, shown, skip=skip)

    def _tell_batch(self, view: View) -> None:
        changes = view.show()
        if not changes:
            return
        view.shown_at = self._loop.time()
        truncated = len(changes) > CHANGES_MOST
        listed = [
            PresenceChange(author.id, author.display_name, _STATES[online])
            for author, online, _ in (() if truncated else changes)
        ]
        self._fan_out.deliver(view.room, RoomPresence(view.room.name, view.count, listed, truncated))
