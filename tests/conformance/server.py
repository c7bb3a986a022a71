"""The small server that the official suites ask for, made of the edge: an echo of each protocol."""

from typing import Any, Final

from aiohttp import web

from services.gateway.edge import frames
from services.gateway.edge.engine import Engine
from services.gateway.edge.limits import Limits
from services.gateway.edge.server import Server
from services.gateway.edge.session import Session

HOST: Final = "127.0.0.1"
TRANSPORTS: Final = ("polling", "websocket")
CUSTOM: Final = "/custom"

LIMITS: Final = Limits(
    ping_interval=0.3,
    ping_timeout=0.2,
    payload_most=1_000_000,
    connect_timeout=1.0,
    refused_timeout=0.3,
    upgrade_timeout=1.0,
    close_timeout=0.5,
)
"""The suites' settings; what they do not set is short, so that tests need not wait."""


def echo(session: Session, packet: str | bytes) -> bool:
    """Send a MESSAGE packet back."""
    session.write(frames.text(packet.encode()) if isinstance(packet, str) else frames.binary(packet))
    return True


def engineio(limits: Limits = LIMITS) -> Engine:
    """An Engine.IO server that echoes."""
    engine = Engine(limits=limits, transports=TRANSPORTS, allowed_origins=(), on_packet=echo)
    engine.on("connect", lambda _sid, _environ: None)
    engine.on("disconnect", lambda _sid, _reason: None)
    return engine


def socketio(limits: Limits = LIMITS) -> Server:
    """A Socket.IO server that tells clients what they authenticated with, and echoes, in two namespaces."""
    # The suite wants `auth` after the answer to CONNECT.
    server = Server(limits=limits, always_connect=True)
    for namespace in ("/", CUSTOM):
        _serve(server, namespace)
    return server


def _serve(server: Server, namespace: str) -> None:
    async def connect(sid: str, _environ: dict[str, Any], auth: Any) -> None:
        await server.emit("auth", {} if auth is None else auth, to=sid, namespace=namespace)

    async def message(sid: str, *data: Any) -> None:
        await server.emit("message-back", data, to=sid, namespace=namespace)

    def message_with_ack(_sid: str, *data: Any) -> tuple[Any, ...]:
        return data

    server.on("connect", connect, namespace=namespace)
    server.on("message", message, namespace=namespace)
    server.on("message-with-ack", message_with_ack, namespace=namespace)


def application(*servers: tuple[str, Engine | Server]) -> web.Application:
    """Serves each of them at its path, and ends them when it is cleaned up."""
    app = web.Application(client_max_size=2 * LIMITS.payload_most)
    for path, server in servers:
        server.attach(app, path)

    async def shut_down(_app: web.Application) -> None:
        for _, server in servers:
            await server.shutdown()

    app.on_shutdown.append(shut_down)
    return app


def suites() -> web.Application:
    """What both suites run against."""
    return application(("engine.io", engineio()), ("socket.io", socketio()))


async def start(app: web.Application, port: int = 0) -> tuple[web.AppRunner, int]:
    """Serve `app` as the gateway does; the runner is to be cleaned up. Returns the port, too."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])
