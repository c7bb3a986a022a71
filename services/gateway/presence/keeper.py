"""Keeps what is known of presence true: says that this gateway lives, notices who does not, and mends what was lost.

Its clock stands still while nothing is heard, be it that the process was stopped, or that the connection to NATS is
gone or carries nothing: so a gateway that did not listen does not take all others for dead. It shows by the own
heartbeats, which come back through NATS.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from runtime.bus import Bus
from runtime.listening import Delivery, Listening
from services.gateway import metrics
from services.gateway.presence.peers import Peers
from services.gateway.presence.round import Round
from services.gateway.presence.view import View
from services.gateway.presence.voice import Voice
from wire import codec, subjects
from wire.live import GatewayLive
from wire.presence import VERSIONS_APART, Heartbeat

_TURNS_A_LEASE: Final = 16
_TURNS_A_BEAT: Final = 4
_MEND_SECONDS: Final = 0.02
_MENDS_AT_ONCE: Final = 20

log = structlog.get_logger()

_decoder: codec.Decoder[GatewayLive] = codec.Decoder(GatewayLive)  # type: ignore[arg-type] # a union


class Keeper:
    """Of the open rooms, by name; `changed` is called with those in which somebody is not there any more."""

    def __init__(
        self, bus: Bus, voice: Voice, views: Mapping[str, View], changed: Callable[[View], None], *, lease: float
    ) -> None:
        self._bus = bus
        self._voice = voice
        self._views = views
        self._changed = changed
        self._lease = lease
        self._turn_seconds = lease / _TURNS_A_LEASE
        self._loop = asyncio.get_running_loop()
        self.now = 0.0
        """How many seconds it has listened."""
        beat = self._turn_seconds * _TURNS_A_BEAT
        self._round = Round(views, turn=self._turn_seconds, shortest=beat)
        self.peers = Peers(lease, beat)
        self._openings = 0
        self._turns = 0
        self._turned_at = self._heard_at = self._loop.time()
        self._is_deaf = False
        self._mending: deque[str] = deque()
        self._mending_of: str | None = None
        self._mend_timer: asyncio.TimerHandle | None = None
        self._turn_timer: asyncio.TimerHandle | None = None
        self._listening: Listening | None = None
        self._left: dict[str, int] = {}
        """Rooms that were closed while NATS could not be told, and the versions at which nobody is there."""
        bus.on_reconnect(self._on_reconnect)

    def next_version(self) -> int:
        """One at which nobody is here, above all that there were."""
        self._openings += 1
        return self._openings * VERSIONS_APART

    def begin(self) -> None:
        """The first room is about to be opened: listen to the others, and let them know."""
        if self._listening is None:
            self._listening = self._bus.listen(subjects.GATEWAYS, self._on_gateway)
            self._turned_at = self._heard_at = self._loop.time()
            self._turn_timer = self._loop.call_later(self._turn_seconds, self._turn)
            self._beat()

    def left(self, room: str) -> None:
        """`room` is closed, and nobody is there."""
        version = self.next_version()
        if not self._voice.stands(room, version):
            self._left[room] = version
        if not self._views and not self._left:
            self.end()

    def end(self) -> None:
        """There is no room any more."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self._voice.ends()
            self.peers.clear()
            if self._is_deaf:
                self._note_deaf(is_deaf=False)
        for timer in (self._turn_timer, self._mend_timer):
            if timer is not None:
                timer.cancel()
        self._turn_timer = self._mend_timer = None
        self._mending.clear()

    def believes(self, gateway: str) -> bool:
        """Whether another gateway lives, as far as is known, and so what it says of a room holds."""
        return self.peers.believes(gateway, self.now)

    # --- who lives -------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        self._voice.beats(self._lease, self._round.standing)

    def _on_gateway(self, delivery: Delivery) -> None:
        try:
            live = _decoder.decode(delivery.data)
        except codec.WireError as error:
            metrics.live_unreadable.inc()
            log.warning("unreadable word of a gateway", error=str(error))
            return
        if live.gateway == self._voice.id:
            self._heard_at = self._loop.time()
        elif isinstance(live, Heartbeat):
            metrics.presence_heard["heartbeat",] += 1
            if self.peers.beat(live, self.now):
                log.warning("a gateway is back", gateway=live.gateway)
                self._mend_all(live.gateway)
        else:
            metrics.presence_heard["farewell",] += 1
            self.peers.end(live.gateway)
            self._drop(live.gateway)

    def _turn(self) -> None:
        self._turn_timer = self._loop.call_later(self._turn_seconds, self._turn)
        time = self._loop.time()
        elapsed, self._turned_at = time - self._turned_at, time
        self._turns += 1
        if self._turns % _TURNS_A_BEAT == 0 or elapsed > 2 * self._turn_seconds:
            self._beat()
        self._stand_up()
        is_deaf = time - self._heard_at > (_TURNS_A_BEAT + 2) * self._turn_seconds
        if is_deaf is not self._is_deaf:
            self._note_deaf(is_deaf=is_deaf)
        if is_deaf:
            return
        self.now += min(elapsed, 2 * self._turn_seconds)
        for gateway in self.peers.overdue(self.now):
            metrics.presence_peers_dropped.inc()
            log.warning("a gateway is silent: its users are offline", gateway=gateway)
            self._drop(gateway)

    def _note_deaf(self, *, is_deaf: bool) -> None:
        self._is_deaf = is_deaf
        metrics.presence_deaf.set(is_deaf)
        if is_deaf:
            log.warning("own heartbeats do not come back: no gateway is taken for dead", subject=subjects.GATEWAYS)
        else:
            log.info("own heartbeats come back")

    def _drop(self, gateway: str) -> None:
        for view in self._views.values():
            if view.drop(gateway):
                self._changed(view)

    # --- what was lost ---------------------------------------------------------------------------------------------

    def _stand_up(self) -> None:
        for view in self._round.next():
            self._voice.stands(view.room.name, view.version)
            if view.drop_silent(self.peers.due):
                self._changed(view)

    async def _on_reconnect(self) -> None:
        if self._listening is None:
            return
        self._beat()  # before all else: who took us for dead believes nothing but this
        self._left = {
            name: version
            for name, version in self._left.items()
            if name not in self._views and not self._voice.stands(name, version)
        }
        if self._views:
            self._mend_all()
        elif not self._left:
            self.end()

    def _mend_all(self, of: str | None = None) -> None:
        self._mending_of = None if self._mending else of
        self._mending = deque(self._views)
        if self._mend_timer is None:
            self._mend()

    def _mend(self) -> None:
        self._mend_timer = None
        for _ in range(min(_MENDS_AT_ONCE, len(self._mending))):
            name = self._mending.popleft()
            if (view := self._views.get(name)) is None:
                continue
            if self._mending_of is None:
                view.doubt(self.now, self.peers.due, self._lease / 2)
                self._voice.stands(name, view.version)
            self._voice.asks(name, self._mending_of)
        if self._mending:
            self._mend_timer = self._loop.call_later(_MEND_SECONDS, self._mend)
