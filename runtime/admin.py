"""The admin port: /livez, /readyz and /metrics. Never reachable by clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web

from runtime import exposition, metrics
from runtime.lifecycle import Lifecycle

_LIFECYCLE: Final = web.AppKey("lifecycle", Lifecycle)


async def _livez(_request: web.Request) -> web.Response:
    # That this answers at all is the answer: the loop turns. No dependency may have a say here, or an outage of
    # NATS would have every pod restarted.
    return web.Response(text="ok\n")


async def _readyz(request: web.Request) -> web.Response:
    reason = await request.app[_LIFECYCLE].why_not_ready()
    if reason is None:
        return web.Response(text="ok\n")
    return web.Response(text=f"{reason}\n", status=503)


async def _metrics(request: web.Request) -> web.Response:
    metrics.tasks.set(len(asyncio.all_tasks()))
    body, kind = exposition.of(",".join(request.headers.getall(hdrs.ACCEPT, [])))
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: kind, hdrs.VARY: hdrs.ACCEPT})


def routes() -> list[web.RouteDef]:
    """The table of routes."""
    return [web.get("/livez", _livez), web.get("/readyz", _readyz), web.get("/metrics", _metrics)]


@asynccontextmanager
async def serve(host: str, port: int, lifecycle: Lifecycle) -> AsyncIterator[None]:
    """Serve the admin port while the block runs; raises `OSError` when the port is taken."""
    app = web.Application()
    app[_LIFECYCLE] = lifecycle
    app.add_routes(routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
