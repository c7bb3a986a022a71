"""What a gateway says to the others of who is present with it. At most once: who did not hear it finds out."""

import re
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec

from runtime.bus import Bus
from services.gateway import metrics
from services.gateway.presence.people import Said
from wire import codec, subjects
from wire.errors import ParleyError
from wire.messages import Author
from wire.presence import (
    MEMBERS_MOST,
    Farewell,
    Heartbeat,
    PresenceAsked,
    PresenceChanged,
    PresenceSnapshot,
    PresenceStands,
)

_FOREIGN: Final = re.compile("[^A-Za-z0-9_-]")
_INSTANCE_MOST: Final = 47
"""So that what tells two of the same name apart fits into an `Id`, too."""


class Voice:
    """Under an id that no other gateway has, nor this one had before. Each method returns whether NATS has it."""

    def __init__(self, bus: Bus, inbox: str, instance: str) -> None:
        """`instance` is how people know this gateway: its id begins with it, for their logs."""
        self._bus = bus
        self._inbox = inbox
        self.id: Final = f"{_FOREIGN.sub('-', instance)[:_INSTANCE_MOST]}-{secrets.token_urlsafe(12)}"

    def changed(self, room: str, said: Said) -> bool:
        """Some have come into the room here, and some are gone."""
        version, online, offline = said
        change = PresenceChanged(gateway=self.id, version=version, online=online, offline=offline)
        return self._say("changed", subjects.live(room, subjects.PRESENCE), change)

    def stands(self, room: str, version: int) -> bool:
        """What was said of the room holds."""
        stands = PresenceStands(gateway=self.id, version=version)
        return self._say("stands", subjects.live(room, subjects.PRESENCE), stands)

    def asks(self, room: str, of: str | None = None) -> bool:
        """Have the gateway `of`, or all others, say who is in the room at them."""
        asked = PresenceAsked(gateway=self.id, of=of)
        return self._say("asked", subjects.live(room, subjects.PRESENCE), asked)

    def answers(self, gateway: str, room: str, version: int, members: Sequence[Author]) -> None:
        """`gateway` has asked, and these are here."""
        parts = max(1, -(-len(members) // MEMBERS_MOST))
        for part in range(parts):
            snapshot = PresenceSnapshot(
                room=room,
                gateway=self.id,
                version=version,
                members=list(members[part * MEMBERS_MOST : (part + 1) * MEMBERS_MOST]),
                part=part,
                parts=parts,
            )
            self._say("snapshot", subjects.presence_answers(self._inbox, gateway), snapshot)

    def beats(self, lease: float, standing: float) -> bool:
        """This gateway lives."""
        heartbeat = Heartbeat(gateway=self.id, lease=lease, standing=standing)
        return self._say("heartbeat", subjects.live_gateway(self.id), heartbeat)

    def ends(self) -> bool:
        """Nobody is present with it any more."""
        return self._say("farewell", subjects.live_gateway(self.id), Farewell(gateway=self.id))

    def _say(self, kind: str, subject: str, message: msgspec.Struct) -> bool:
        try:
            self._bus.publish(subject, codec.encode(message))
        except ParleyError:
            return False
        metrics.presence_said[kind,] += 1
        return True
