"""What guards are tried on: the same small application on the edge, and on the stock stack."""

import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import socketio
from aiohttp import web

from services.gateway.edge.http_guard import HttpGuard
from services.gateway.edge.limits import KIB, Limits
from services.gateway.edge.server import Server
from tests.conformance.server import HOST
from tests.conformance.serving import Serving

LIMITS: Final = Limits(
    connect_timeout=0.4,
    refused_timeout=0.2,
    upgrade_timeout=0.4,
    close_timeout=0.4,
    first_request_timeout=0.6,
    body_timeout=1.0,
    answer_timeout=1.2,
    keep_alive_timeout=0.5,
    unsent_most=256 * KIB,
    unsent_total_most=1024 * KIB,
    stall_timeout=0.6,
)
LARGE: Final = b"x" * (16 * 1024 * KIB)


class Target:
    """A server that guards are tried on."""

    def __init__(self, *, patience: float) -> None:
        self.patience: Final = patience
        """Seconds after which what has not happened is taken not to happen."""
        self.told: list[tuple[Any, ...]] = []
        """What its handlers were told: the name of the event, and some of what came with it."""
        self.requests: list[weakref.ref[web.Request]] = []
        """Those that it has had."""
        self.server: Any = None
        self.serving: Serving | None = None
        self.runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self.serving is not None
        return self.serving.port

    @property
    def url(self) -> str:
        """Of its Socket.IO endpoint, with the transport's name to follow."""
        return f"http://{HOST}:{self.port}/socket.io/?EIO=4&transport="

    def names(self) -> list[str]:
        """The events that its handlers were told of."""
        return [each[0] for each in self.told]

    def living_requests(self) -> int:
        """How many requests are still in memory."""
        assert self.serving is not None
        self.serving.call(gc.collect)
        return sum(each() is not None for each in self.requests)

    def connections(self) -> int:
        """How many connections aiohttp has."""
        assert self.runner is not None
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    def application(self) -> web.Application:
        """The application; to be called where the server runs."""
        app = web.Application(client_max_size=LIMITS.payload_most, middlewares=self.middlewares())
        self.server = self.make()
        for name, handler in self._handlers().items():
            self.server.on(name, handler)
        self.server.attach(app)
        app.router.add_get("/large", self._large)

        async def shut_down(_app: web.Application) -> None:
            await self.server.shutdown()

        app.on_shutdown.append(shut_down)
        return app

    def make(self) -> Any:
        """The Socket.IO server."""
        return socketio.AsyncServer(async_mode="aiohttp")

    def middlewares(self) -> list[Any]:
        """Those of the application."""
        return [self._remember]

    async def start(self, app: web.Application) -> tuple[web.AppRunner, int]:
        """Serve it."""
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, **self.options())
        await self.runner.setup()
        await web.TCPSite(self.runner, HOST, 0).start()
        return self.runner, int(self.runner.addresses[0][1])

    def options(self) -> dict[str, Any]:
        """Of the runner."""
        return {}

    def _handlers(self) -> dict[str, Callable[..., Any]]:
        def connect(_sid: str, _environ: dict[str, Any], auth: Any = None) -> bool | None:
            self.told.append(("connect", auth))
            return False if auth == {"token": "bad"} else None

        def disconnect(_sid: str, reason: str | None = None) -> None:
            self.told.append(("disconnect", reason))

        def echo(_sid: str, *data: Any) -> tuple[Any, ...]:
            self.told.append(("echo", *data))
            return data

        async def flood(sid: str, count: int, size: int) -> None:
            for _ in range(count):
                await self.server.emit("data", "x" * size, to=sid)
            self.told.append(("flooded",))

        return {"connect": connect, "disconnect": disconnect, "echo": echo, "flood": flood}

    @web.middleware
    async def _remember(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self.requests.append(weakref.ref(request))
        return await handler(request)

    @staticmethod
    async def _large(_request: web.Request) -> web.Response:
        return web.Response(body=LARGE)


class Edge(Target):
    """The edge, served as `services/gateway/app.py` does, with limits that tests need not wait for."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        super().__init__(patience=15.0)
        self._limits = limits
        self._guard = HttpGuard(limits)

    def make(self) -> Any:
        """The Socket.IO server."""
        return Server(limits=self._limits)

    def middlewares(self) -> list[Any]:
        """Those of the application."""
        return [self._guard.middleware, *super().middlewares()]

    async def start(self, app: web.Application) -> tuple[web.AppRunner, int]:
        """Serve it."""
        started = await super().start(app)
        self._guard.start(started[0])
        return started

    def options(self) -> dict[str, Any]:
        """Of the runner."""
        return {
            "handler_cancellation": True,
            "keepalive_timeout": self._limits.keep_alive_timeout,
            "tcp_keepalive": False,
        }


class Stock(Target):
    """python-socketio on aiohttp, as their documentation says."""

    def __init__(self) -> None:
        super().__init__(patience=1.0)


@contextmanager
def serving(target: Target) -> Iterator[Target]:
    """Serve `target`."""
    with Serving(target.application, target.start) as target.serving:
        yield target
