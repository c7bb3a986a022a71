"""The fan-out: what happens in a room goes to its members here. One entrance: `deliver`."""

import msgspec

from services.gateway import metrics
from services.gateway.edge import Edge
from services.gateway.protocol import EventShown, TypingShown
from services.gateway.rooms import Room
from wire.messages import StoredMessage

_NAMES: dict[type[msgspec.Struct], str] = {StoredMessage: "message", TypingShown: "typing", EventShown: "event"}


class FanOut:
    """Encodes once per room, and hands the same frame to every member."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def deliver(
        self, room: Room, message: StoredMessage | TypingShown | EventShown, *, skip: str | None = None
    ) -> None:
        """Hand `message` to all members of `room` but the connection with id `skip`, in the order of the calls.

        A member that is being told what it missed gets stored messages when it has caught up, and no others.
        """
        name = _NAMES[type(message)]
        frame = self._edge.frame(name, message)
        count = self._edge.broadcast(room.members, frame, skip=skip)
        if isinstance(message, StoredMessage):
            for waiting in room.resuming.values():
                waiting.append(frame)
        metrics.deliveries.labels(event=name).inc(count)
