"""The gateway's composition root."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import msgspec
import structlog
from aiohttp import web
from msgspec import Raw

from runtime import bus
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway.access import Access
from services.gateway.api import REQUEST_MOST_BYTES, Api, require_length
from services.gateway.auth import Auth
from services.gateway.connection import Connection
from services.gateway.edge import Edge
from services.gateway.events import Events
from services.gateway.fanout import FanOut
from services.gateway.joining import Baselines, Joining
from services.gateway.page import ChatPage
from services.gateway.problems import as_problems
from services.gateway.protocol import SessionStarted
from services.gateway.publisher import Publisher
from services.gateway.relay import Relay
from services.gateway.rooms import Room, Rooms
from services.gateway.settings import GatewaySettings
from wire import subjects
from wire.messages import Page, Verified

_HISTORY_SECONDS: Final = 5.0
_BASELINE_SECONDS: Final = 2.0
_CATCH_UPS_AT_ONCE: Final = 32
_KEEP_ALIVE_SECONDS: Final = 75.0
"""aiohttp keeps an idle connection for an hour."""

log = structlog.get_logger()


class Gateway:
    """The application that the edge serves: everything wired together."""

    def __init__(self, settings: GatewaySettings, connection: Bus) -> None:
        stream = MessageStream(connection)
        history = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_HISTORY_SECONDS)
        access = Access(public_rooms=settings.public_rooms)
        self._settings = settings
        self._auth = Auth(connection)
        self.edge = Edge(settings, self)
        self._relay = relay = Relay(FanOut(self.edge), stream)
        briefly = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_BASELINE_SECONDS)
        baselines = Baselines(stream, briefly)
        self._rooms = Rooms(connection, relay.on_live, baselines.of, linger=settings.room_linger_seconds)
        self._events = Events(
            bus=connection,
            access=access,
            rooms=self._rooms,
            joining=Joining(self.edge, self._rooms, relay, history),
            publisher=Publisher(connection, stream, timeout=settings.publish_timeout_seconds),
            history=history,
        )
        self.api = Api(self._auth, access, history)
        connection.on_reconnect(self._catch_up)

    async def _catch_up(self) -> None:
        slots = asyncio.Semaphore(_CATCH_UPS_AT_ONCE)

        async def one(room: Room) -> None:
            async with slots:
                await self._relay.catch_up(room)

        await asyncio.gather(*map(one, self._rooms.open_rooms()))

    async def authenticate(self, auth: object) -> Verified:
        """See `application.Application`."""
        return await self._auth.connecting(auth)

    def connected(self, connection: Connection) -> None:
        """See `application.Application`."""
        bearer = connection.bearer
        started = SessionStarted(
            user=bearer.user,
            session=bearer.session,
            gateway=self._settings.instance,
            expires_in=connection.expires_in,
        )
        self.edge.send(connection, self.edge.frame("session", started))
        log.debug("connected", connection=connection.id, user=bearer.user.id)

    def disconnected(self, connection: Connection) -> None:
        """See `application.Application`."""
        for room in tuple(connection.rooms):
            self._rooms.leave(room, connection)
        log.debug("disconnected", connection=connection.id, user=connection.bearer.user.id)

    def is_ordered(self, event: str) -> bool:
        """See `application.Application`."""
        return self._events.is_ordered(event)

    async def handle(self, connection: Connection, event: str, argument: Raw) -> msgspec.Struct:
        """See `application.Application`."""
        return await self._events.handle(connection, event, argument)


async def serve(settings: GatewaySettings, lifecycle: Lifecycle) -> None:
    """Serve clients until the process must stop. Traffic is accepted last, and refused first."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        gateway = Gateway(settings, connection)
        app = web.Application(middlewares=[as_problems, require_length], client_max_size=REQUEST_MOST_BYTES)
        app.add_routes(gateway.api.routes())
        app.add_routes(ChatPage(settings.web).routes())
        gateway.edge.attach(app)
        # Connections last for hours: waiting for them to end by themselves would be in vain.
        runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=1.0,
            handler_cancellation=True,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(gateway.edge.close)
        site = web.TCPSite(runner, settings.host, settings.port, backlog=4096)
        await site.start()
        stack.push_async_callback(site.stop)
        lifecycle.started()
        log.info("ready", host=settings.host, port=settings.port, transports=settings.transports)
        await lifecycle.stopped()
