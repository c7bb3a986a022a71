"""The public port: everything that clients reach over HTTP, and by way of it over WebSockets."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import hdrs, web

from services.gateway.api.cross_origin import CrossOrigin
from services.gateway.api.problems import as_problems
from services.gateway.api.query_tokens import no_tokens_in_query
from services.gateway.api.traced import Traced
from services.gateway.edge.http_guard import HttpGuard
from services.gateway.edge.http_log import HttpLog
from services.gateway.settings import GatewaySettings


@asynccontextmanager
async def serving(
    settings: GatewaySettings, routes: Iterable[web.RouteDef], attach: Callable[[web.Application], None]
) -> AsyncIterator[None]:
    """Serve `routes`, and what `attach` adds to the application, while the block runs.

    Raises `OSError` when the port is taken.
    """
    limits = settings.limits
    guard = HttpGuard(limits)
    cross_origin = CrossOrigin(settings.allowed_origins)
    traced = Traced(is_trusted=settings.trust_traceparent)
    middlewares = [traced.middleware, as_problems, guard.middleware, cross_origin.preflights, no_tokens_in_query]
    app = web.Application(middlewares=middlewares, client_max_size=limits.payload_most)
    app.on_response_prepare.append(_name_no_versions)
    app.on_response_prepare.append(cross_origin.mark)
    app.add_routes(routes)
    attach(app)
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
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        guard.start(runner)
        stack.callback(guard.stop)
        site = web.TCPSite(runner, settings.host, settings.port, backlog=4096)
        await site.start()
        stack.push_async_callback(site.stop)
        yield


async def _name_no_versions(_request: web.Request, response: web.StreamResponse) -> None:
    # aiohttp would name its own and Python's, to whoever looks for one with a known hole.
    response.headers[hdrs.SERVER] = "parley"
