"""The gateway's composition root."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

import structlog
from aiohttp import web

from runtime import bus
from runtime.bus import Bus
from runtime.key_value import KeyValue
from runtime.lifecycle import Lifecycle
from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway.access import Access
from services.gateway.api import Api
from services.gateway.auth import Auth
from services.gateway.clients import Clients
from services.gateway.connection import Connection
from services.gateway.drain import Drain
from services.gateway.edge.http_guard import HttpGuard
from services.gateway.edge.http_log import HttpLog
from services.gateway.events import Events
from services.gateway.fanout import FanOut
from services.gateway.joining import Baselines, Joining
from services.gateway.missed import Missed
from services.gateway.page import ChatPage
from services.gateway.problems import as_problems
from services.gateway.publisher import Publisher
from services.gateway.pushes import SessionStarted, event
from services.gateway.quiet_rooms import QuietRooms
from services.gateway.recovery import Recovery
from services.gateway.relay import Relay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.resuming import Resuming
from services.gateway.rooms import Rooms
from services.gateway.session_bucket import SessionBucket
from services.gateway.sessions import Sessions
from services.gateway.settings import GatewaySettings
from wire import streams, subjects
from wire.accounts import Verified
from wire.messages import Page

_HISTORY_SECONDS: Final = 5.0
_BASELINE_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 1.0
"""From the last moment at which a message may be stored to its sender's having been told."""

log = structlog.get_logger()


class Gateway:
    """The application that clients talk to: everything wired together."""

    def __init__(self, settings: GatewaySettings, connection: Bus) -> None:
        stream = MessageStream(connection)
        history = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_HISTORY_SECONDS)
        access = Access(public_rooms=settings.public_rooms)
        self._settings = settings
        self._auth = Auth(connection)
        self.clients = Clients(
            self,
            limits=settings.limits,
            transports=settings.transports,
            allowed_origins=settings.allowed_origins,
        )
        self._fan_out = fan_out = FanOut(settings.fan_out_window_ms / 1000)
        relay = Relay(fan_out, stream)
        briefly = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_BASELINE_SECONDS)
        baselines = Baselines(stream, briefly)
        missed = Missed(history, stream, ReplayMemory())
        resuming = Resuming(fan_out, missed, seconds=settings.resume_seconds)
        self._rooms = Rooms(connection, relay.on_live, baselines.of, linger=settings.room_linger_seconds)
        self.quiet_rooms = QuietRooms(self._rooms, relay, stream, period=settings.quiet_check_seconds)
        joining = Joining(fan_out, self._rooms, relay, resuming)
        self._sessions = Sessions(SessionBucket(KeyValue(connection, streams.KEPT_SESSIONS)))
        self._recovery = Recovery(
            sessions=self._sessions,
            rooms=self._rooms,
            access=access,
            joining=joining,
            missed=missed,
            fan_out=fan_out,
        )
        self._events = Events(
            bus=connection,
            access=access,
            rooms=self._rooms,
            joining=joining,
            sessions=self._sessions,
            publisher=Publisher(
                connection,
                stream,
                timeout=settings.publish_timeout_seconds,
                most=settings.publishes_in_flight_most,
            ),
            history=history,
            fan_out=fan_out,
        )
        self.api = Api(self._auth, access, history, body_timeout=settings.limits.body_timeout)
        connection.on_reconnect(lambda: relay.catch_up_all(self._rooms.open_rooms()))

    async def drain(self, seconds: float) -> None:
        """Send all clients away, evenly over `seconds`; see `Drain`."""
        patience = self._settings.publish_timeout_seconds + _ANSWER_SECONDS
        await Drain(self.clients, self._fan_out, patience=patience).run(seconds)

    async def authenticate(self, auth: object) -> Verified:
        """See `clients.Application`."""
        return await self._auth.connecting(auth)

    async def admit(self, connection: Connection, auth: object) -> None:
        """See `clients.Application`."""
        await self._recovery.begin(connection, auth)

    def connected(self, connection: Connection) -> tuple[Mapping[str, str], list[bytes]]:
        """See `clients.Application`."""
        bearer = connection.bearer
        started = SessionStarted(
            user=bearer.user,
            session=bearer.session,
            gateway=self._settings.instance,
            expires_in=connection.expires_in,
        )
        log.debug("connected", connection=connection.id, user=bearer.user.id)
        missed = self._recovery.complete(connection)
        answer = {} if connection.kept is None else {"pid": connection.kept.pid}
        return answer, [event("session", started), *missed]

    def disconnected(self, connection: Connection) -> None:
        """See `clients.Application`."""
        self._sessions.end(connection)
        self._fan_out.forget(connection)
        for room in tuple(connection.rooms):
            self._rooms.leave(room, connection)
        log.debug("disconnected", connection=connection.id, user=connection.bearer.user.id)

    def handle(self, connection: Connection, ack_id: str, text: str) -> None:
        """See `clients.Application`."""
        self._events.handle(connection, ack_id, text)


async def serve(settings: GatewaySettings, lifecycle: Lifecycle) -> None:
    """Serve clients until the process must stop. Traffic is accepted last, and refused first."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        gateway = Gateway(settings, connection)
        await stack.enter_async_context(gateway.quiet_rooms.watched())
        limits = settings.limits
        guard = HttpGuard(limits)
        app = web.Application(middlewares=[guard.middleware, as_problems], client_max_size=limits.payload_most)
        app.add_routes(gateway.api.routes())
        app.add_routes(ChatPage(settings.web).routes())
        gateway.clients.attach(app)
        # Connections last for hours: waiting for them to end by themselves would be in vain.
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=HttpLog(),
            shutdown_timeout=1.0,
            handler_cancellation=True,
            keepalive_timeout=limits.keep_alive_timeout,
            tcp_keepalive=False,  # who is silent is found out by Engine.IO's pings and by timeouts
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        guard.start(runner)
        stack.callback(guard.stop)
        site = web.TCPSite(runner, settings.host, settings.port, backlog=4096)
        await site.start()
        stack.push_async_callback(site.stop)
        lifecycle.started()
        log.info("ready", host=settings.host, port=settings.port, transports=settings.transports)
        await lifecycle.stopped()
        # The site is still there: it refuses whoever comes, and answers those who poll. A gateway that has failed is
        # of no use to its clients any more.
        await gateway.drain(settings.drain_seconds if lifecycle.failure is None else 0)
