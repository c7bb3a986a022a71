"""Presence: who is in a room, at whichever gateway. Nobody keeps it: each gateway speaks for its own (ADR 17)."""

import asyncio
from typing import Final

import structlog

from runtime.bus import Bus
from runtime.listening import Delivery
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.presence.keeper import Keeper
from services.gateway.presence.told import Told
from services.gateway.presence.view import View
from services.gateway.presence.voice import Voice
from services.gateway.relay import Known
from services.gateway.replies import Present
from services.gateway.rooms import Room
from wire import codec, subjects
from wire.messages import Message
from wire.presence import PresenceAsked, PresenceChanged, PresenceSnapshot, PresenceStands

LISTED_MOST: Final = 1000
_TOGETHER_SECONDS: Final = 0.02
"""What changes in a room within it is told as one; who comes and goes within it was not there."""
_ANSWERS_SECONDS: Final = 0.25
"""How long the others may take to say who is in a room that this gateway has begun to listen to."""

log = structlog.get_logger()

_KINDS: Final[dict[type[Message], str]] = {
    PresenceChanged: "changed",
    PresenceStands: "stands",
    PresenceAsked: "asked",
}
_decoder: Final = codec.Decoder(PresenceSnapshot)


class Presence:
    """Of the rooms that this gateway has open.

    A user is online in a room while any of their sockets is in it. Members are told once when that changes; the users
    of a gateway that dies are offline within its lease and a second.
    """

    def __init__(
        self,
        bus: Bus,
        fan_out: FanOut,
        control: Known,
        *,
        instance: str,
        inbox: str,
        lease: float,
        batch_above: int,
    ) -> None:
        """`inbox` is that of all gateways; for the others see `GatewaySettings`."""
        self._loop = asyncio.get_running_loop()
        self._voice = Voice(bus, inbox, instance)
        self._told = Told(fan_out, control, batch_above=batch_above)
        self._views: dict[str, View] = {}
        self._keeper = Keeper(bus, self._voice, self._views, self._changed, lease=lease)
        self._unsettled: dict[View, None] = {}
        """Those in which something has changed that may have to be said, or told."""
        self._waiting: dict[View, asyncio.Event] = {}
        """Set once it is known who is there."""
        bus.listen(subjects.presence_answers(inbox, self._voice.id), self._on_answer)
        metrics.presence_peers.set_function(lambda: len(self._keeper.peers))

    def end(self) -> None:
        """This gateway ends."""
        self._settle()
        self._keeper.end()

    def on_current(self) -> None:
        """It is known again who may be here."""
        self._told.on_current()

    def is_known(self, room: str) -> bool:
        """Whether the other gateways have had the time to say who is in `room`, which is open."""
        return not self._views[room].is_opening

    async def known(self, room: str) -> None:
        """Wait until they have, or `room` is closed."""
        while (view := self._views.get(room)) is not None and view.is_opening:
            await self._waiting.setdefault(view, asyncio.Event()).wait()

    def members(self, room: str, connection: Connection) -> Present:
        """Who is in `room`, for `connection`, which is.

        It fits what members are told: together with the events that follow it is true, and what came before does not
        matter.
        """
        view = self._views[room]
        self._told.show(view)
        members, count = view.shown(LISTED_MOST), view.count
        person = view.people[connection.bearer.user.id]
        if not person.shown:
            # In a large room they are told of later.
            members, count = [person.author, *members[: LISTED_MOST - 1]], count + 1
        return Present(members=members, count=count)

    # --- of the rooms, for `Rooms` ---------------------------------------------------------------------------------

    def opened(self, room: Room) -> None:
        """`room` is listened to from now on: the others are asked who is there."""
        self._keeper.begin()
        view = self._views[room.name] = View(room, self._keeper.next_version(), self._keeper.now)
        self._voice.asks(room.name)
        self._loop.call_later(_ANSWERS_SECONDS, self._on_answered, view)

    def entered(self, room: Room, connection: Connection) -> None:
        """`connection` is in `room`, and was not."""
        view, user = self._views[room.name], connection.bearer.user
        if view.enter(user.id, user.display_name, connection.id):
            metrics.present.inc()
            self._changed(view)

    def left(self, room: Room, connection: Connection) -> None:
        """And is not any more."""
        view = self._views[room.name]
        if view.leave(connection.bearer.user.id):
            metrics.present.dec()
            self._changed(view)

    def closed(self, room: Room) -> None:
        """`room` is not listened to any more; nobody is there."""
        view = self._views.get(room.name)
        if view is not None and view.room is room:
            del self._views[room.name]
            self._unsettled.pop(view, None)
            self._told.forget(view)
            self._keeper.left(room.name)

    # --- from other gateways ---------------------------------------------------------------------------------------

    def on_live(self, room: Room, message: PresenceChanged | PresenceStands | PresenceAsked) -> None:
        """What a gateway says in `room`, this one too."""
        view = self._views.get(room.name)
        if view is None or view.room is not room or message.gateway == self._voice.id:
            return
        metrics.presence_heard[_KINDS[type(message)],] += 1
        if not self._keeper.believes(message.gateway):
            return
        match message:
            case PresenceChanged():
                must_ask = view.on_changed(message, self._keeper.now)
            case PresenceStands():
                must_ask = view.on_stands(message, self._keeper.now)
            case PresenceAsked():
                self._answer(view, message)
                return
        if must_ask:
            self._voice.asks(room.name, message.gateway)
        if view.unshown:
            self._changed(view)

    def _answer(self, view: View, asked: PresenceAsked) -> None:
        members = view.own()
        if asked.of == self._voice.id or (asked.of is None and members):
            self._voice.answers(asked.gateway, view.room.name, view.version, members)

    def _on_answer(self, delivery: Delivery) -> None:
        try:
            snapshot = _decoder.decode(delivery.data)
        except codec.WireError as error:
            metrics.live_unreadable.inc()
            log.warning("unreadable answer to who is present", error=str(error))
            return
        metrics.presence_heard["snapshot",] += 1
        view = self._views.get(snapshot.room)
        if view is not None and self._keeper.believes(snapshot.gateway):
            view.on_snapshot(snapshot, self._keeper.now)
            if view.unshown:
                self._changed(view)

    def _on_answered(self, view: View) -> None:
        view.is_opening = False
        if (waiting := self._waiting.pop(view, None)) is not None:
            waiting.set()

    # --- what has changed ------------------------------------------------------------------------------------------

    def _changed(self, view: View) -> None:
        if not self._unsettled:
            self._loop.call_later(_TOGETHER_SECONDS, self._settle)
        self._unsettled[view] = None

    def _settle(self) -> None:
        unsettled, self._unsettled = self._unsettled, {}
        for view in unsettled:
            for said in view.say():
                self._voice.changed(view.room.name, said)
            self._told.show(view)
