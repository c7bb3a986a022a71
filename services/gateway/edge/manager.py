"""python-socketio's client manager, with the cost of a connection independent of how many there are.

The stock one gives every connection a room of its own and walks all rooms of the namespace whenever one leaves, and
keeps those that are connecting in a list: at eight thousand connections a mass disconnect is quadratic, and a
connection costs kilobytes. It also makes a task for each recipient of each event. Everything it answers is the same.
"""

from collections.abc import Iterator
from typing import Any

import socketio
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT

from services.gateway.edge import frames, metrics

Sid = str
Room = Any


class Namespace:
    """The clients of one namespace, and its rooms. The room None is everybody; a sid is the room of its client."""

    __slots__ = ("connecting", "eio_sids", "leaving", "members", "rooms", "sids")

    def __init__(self) -> None:
        self.eio_sids: dict[Sid, str] = {}
        self.sids: dict[str, Sid] = {}
        self.rooms: dict[Sid, set[Room]] = {}
        """Only of those who are in some."""
        self.members: dict[Room, dict[Sid, None]] = {}
        self.connecting: set[Sid] = set()
        self.leaving: set[Sid] = set()

    def of(self, room: Room) -> list[Sid]:
        """Who is in `room`, in the order in which they came."""
        if room is None:
            return list(self.eio_sids)
        if room in self.eio_sids:
            return [room]
        return list(self.members.get(room, ()))

    def leave(self, sid: Sid, room: Room) -> None:
        """Idempotent."""
        members = self.members.get(room)
        if members is not None and sid in members:
            del members[sid]
            self.rooms[sid].discard(room)
            if not members:
                del self.members[room]

    def remove(self, sid: Sid) -> None:
        """Forget a client. Idempotent."""
        for room in list(self.rooms.get(sid, ())):
            self.leave(sid, room)
        self.rooms.pop(sid, None)
        eio_sid = self.eio_sids.pop(sid, None)
        if eio_sid is not None:
            del self.sids[eio_sid]
        self.connecting.discard(sid)
        self.leaving.discard(sid)


class Manager(socketio.AsyncManager):  # type: ignore[misc] # python-socketio is not typed
    """For one process: events between processes are not its business."""

    rooms: dict[str, Namespace]

    async def pre_connect(self, eio_sid: str, namespace: str) -> Sid | None:
        """A sid for a client that wants to connect; None if it has connected to the namespace already."""
        space = self.rooms.get(namespace)
        if space is None:
            space = self.rooms[namespace] = Namespace()
        elif eio_sid in space.sids:
            return None
        sid: Sid = self.server.eio.generate_id()
        space.eio_sids[sid] = eio_sid
        space.sids[eio_sid] = sid
        space.connecting.add(sid)
        return sid

    async def connect(self, sid: Sid, namespace: str) -> Sid:
        """The client is in."""
        if not self.is_pre_connected(sid, namespace):
            connected = await self.pre_connect(sid, namespace)  # it is an Engine.IO sid
            if connected is not None:
                sid = connected
        self.rooms[namespace].connecting.discard(sid)
        return sid

    def is_pre_connected(self, sid: Sid, namespace: str) -> bool:
        """Whether `pre_connect` has been called for it, and not yet `connect`."""
        space = self.rooms.get(namespace)
        return space is not None and sid in space.connecting

    def is_connected(self, sid: Sid, namespace: str) -> bool:
        """Whether it is in: neither on its way in nor on its way out."""
        space = self.rooms.get(namespace)
        return (
            space is not None and sid in space.eio_sids and sid not in space.connecting and sid not in space.leaving
        )

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> Sid | None:
        """The client of a session in a namespace."""
        space = self.rooms.get(namespace)
        return None if space is None else space.sids.get(eio_sid)

    def eio_sid_from_sid(self, sid: Sid, namespace: str) -> str | None:
        """The session of a client."""
        space = self.rooms.get(namespace)
        return None if space is None else space.eio_sids.get(sid)

    def pre_disconnect(self, sid: Sid, namespace: str) -> str | None:
        """The client is about to go; its session."""
        space = self.rooms[namespace]
        space.leaving.add(sid)
        return space.eio_sids.get(sid)

    def basic_disconnect(self, sid: Sid, namespace: str, **_: Any) -> None:
        """The client is gone."""
        space = self.rooms.get(namespace)
        if space is not None:
            space.remove(sid)
            if not space.eio_sids:
                del self.rooms[namespace]
        self.callbacks.pop(sid, None)

    def is_sid_room(self, namespace: str, room: Room) -> bool:
        """Whether `room` is a client's own."""
        space = self.rooms.get(namespace)
        return space is not None and room in space.eio_sids

    def basic_enter_room(self, sid: Sid, namespace: str, room: Room, eio_sid: str | None = None) -> None:  # noqa: ARG002
        """Raises `ValueError` for a client that is not there, and for another client's own room."""
        space = self.rooms.get(namespace)
        if space is None or sid not in space.eio_sids:
            raise ValueError("sid is not connected to requested namespace")
        if sid != room and room in space.eio_sids:
            raise ValueError("cannot enter a sid room")
        if sid != room:
            space.members.setdefault(room, {})[sid] = None
            space.rooms.setdefault(sid, set()).add(room)

    def basic_leave_room(self, sid: Sid, namespace: str, room: Room) -> None:
        """Idempotent."""
        space = self.rooms.get(namespace)
        if space is not None:
            space.leave(sid, room)

    def get_rooms(self, sid: Sid, namespace: str) -> list[Room]:
        """The rooms of a client, its own first."""
        space = self.rooms.get(namespace)
        if space is None or sid not in space.eio_sids:
            return []
        return [sid, *space.rooms.get(sid, ())]

    def get_participants(self, namespace: str, room: Room) -> Iterator[tuple[Sid, str]]:
        """The clients in a room, or in any of several, with their sessions."""
        space = self.rooms.get(namespace)
        if space is None:
            return
        rooms = room if isinstance(room, list | tuple | set) else [room]
        for sid in dict.fromkeys(sid for each in rooms for sid in space.of(each)):
            yield sid, space.eio_sids[sid]

    async def emit(  # noqa: PLR0917 - python-socketio's signature
        self,
        event: str,
        data: Any,
        namespace: str,
        room: Room = None,
        skip_sid: Any = None,
        callback: Any = None,
        to: Room = None,
        **more: Any,
    ) -> None:
        """Encode once, and write the same frames to everybody in the room, now."""
        if callback is not None:
            await super().emit(event, data, namespace, room, skip_sid, callback, to, **more)
            return
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        packet = self.server.packet_class(EVENT, namespace=namespace, data=[event, *arguments])
        encoded = packet.encode()
        parts = [EnginePacket(MESSAGE, each) for each in (encoded if isinstance(encoded, list) else [encoded])]
        wire = b"".join(map(frames.of, parts))
        skipped = skip_sid if isinstance(skip_sid, list) else [skip_sid]
        for sid, eio_sid in self.get_participants(namespace, to or room):
            session = self.server.eio.sockets.get(eio_sid)
            if session is not None and sid not in skipped:
                metrics.sent(len(parts), len(wire))
                session.write(wire)
