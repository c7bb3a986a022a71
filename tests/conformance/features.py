"""A server with everything that python-socketio's face has, for the official clients."""

import asyncio
from typing import Any, Final

import socketio
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as SocketIORefusal

from services.gateway.edge import frames
from services.gateway.edge.limits import Limits
from services.gateway.edge.server import Server
from services.gateway.edge.session import Reason
from tests.conformance import server
from tests.conformance.serving import Serving

TICKS: Final = 300
LIMITS: Final = Limits(ping_interval=0.5, ping_timeout=5.0, payload_most=1_000_000, close_timeout=0.5)


class Features(Serving):
    """Serves two namespaces with the same handlers, and keeps how its clients came and went."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        super().__init__(self._make_app)
        self._limits = limits
        self.joined: list[tuple[str, str]] = []
        """Namespace and sid."""
        self.left: list[tuple[str, str, str]] = []
        """Namespace, sid and reason."""

    def _make_app(self) -> web.Application:
        self.server = Server(limits=self._limits)
        for namespace in ("/", server.CUSTOM):
            self.server.register_namespace(Namespace(namespace, self))
        return server.application(("socket.io", self.server))

    def ask(self, sid: str, *args: Any) -> Any:
        """What a client acknowledges the event `ask` with."""
        return self.run(self.server.call("ask", args, to=sid, timeout=10))

    def disconnect(self, sid: str) -> None:
        """The server's own wish."""
        self.run(self.server.disconnect(sid))

    def go_away(self, sid: str) -> None:
        """End a session as a shutdown does: its client should come again."""
        session = self.server.session_of(sid)
        assert session is not None
        self.call(lambda: session.close(Reason.SERVER, last=frames.NOOP, code=1001))

    def abort(self, sid: str) -> None:
        """End a session without a word."""
        session = self.server.session_of(sid)
        assert session is not None
        self.call(lambda: session.abort(Reason.TRANSPORT_ERROR))


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc] # python-socketio is not typed
    """The handlers."""

    def __init__(self, namespace: str, features: Features) -> None:
        super().__init__(namespace)
        self._features = features

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Refuse who asks for it, and send `ticks` to who asks for those."""
        assert environ["QUERY_STRING"]
        wish = auth or {}
        if "refuse" in wish:
            raise SocketIORefusal(wish["refuse"], {"code": 7})
        self._features.joined.append((self.namespace, sid))
        if "ticks" in wish:
            self.server.start_background_task(self._tick, sid)

    async def _tick(self, sid: str) -> None:
        for number in range(TICKS):
            await self.emit("tick", number, to=sid)
            await asyncio.sleep(0.001)

    def on_disconnect(self, sid: str, reason: str) -> None:
        """Keep the reason."""
        self._features.left.append((self.namespace, sid, reason))

    def on_echo(self, _sid: str, *args: Any) -> tuple[Any, ...]:
        """Acknowledge with what came."""
        return args

    async def on_back(self, sid: str, *args: Any) -> None:
        """Send an event with what came."""
        await self.emit("back", args, to=sid)

    async def on_enter(self, sid: str, room: str) -> list[str]:
        """Enter a room; all that the client is in."""
        await self.enter_room(sid, room)
        return sorted(set(self.rooms(sid)) - {sid})

    async def on_leave(self, sid: str, room: str) -> list[str]:
        """Leave a room; all that the client is in."""
        await self.leave_room(sid, room)
        return sorted(set(self.rooms(sid)) - {sid})

    async def on_say(self, sid: str, room: str, *args: Any) -> None:
        """Tell the others in a room."""
        await self.emit("said", args, room=room, skip_sid=sid)

    async def on_remember(self, sid: str, what: Any) -> None:
        """Keep with the session."""
        async with self.session(sid) as session:
            session["what"] = what

    async def on_recall(self, sid: str) -> Any:
        """What was kept."""
        return (await self.get_session(sid)).get("what")
