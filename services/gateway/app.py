"""The gateway's composition root."""

from contextlib import AsyncExitStack

import structlog

from runtime import bus
from runtime.lifecycle import Lifecycle
from services.gateway import capacity, metrics
from services.gateway.api import public_port
from services.gateway.gateway import Gateway
from services.gateway.settings import GatewaySettings

log = structlog.get_logger()


async def serve(settings: GatewaySettings, lifecycle: Lifecycle) -> None:
    """Serve clients until the process must stop. Traffic is accepted last, and refused first."""
    async with AsyncExitStack() as stack:
        capacity.prepare(settings.allowed)
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        metrics.subscriptions.set_function(lambda: connection.client.subscriptions)
        gateway = Gateway(settings, connection)
        stack.callback(gateway.presence.end)
        await stack.enter_async_context(gateway.control.followed())
        lifecycle.add_readiness_check(gateway.control.why_not_ready)
        lifecycle.add_readiness_check(gateway.why_full)
        await stack.enter_async_context(gateway.quiet_rooms.watched())
        await stack.enter_async_context(public_port.serving(settings, gateway.routes, gateway.clients.attach))
        lifecycle.started()
        log.info("ready", host=settings.host, port=settings.port, transports=settings.transports)
        await lifecycle.stopped()
        # The port is still there: it refuses whoever comes, and answers those who poll. A gateway that has failed is
        # of no use to its clients any more.
        await gateway.drain(settings.drain_seconds if lifecycle.failure is None else 0)
