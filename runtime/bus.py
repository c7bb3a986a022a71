"""The connection to NATS: survives outages for ever, and never claims to work when it does not.

nats-py can look connected and be dead: a late PONG, or any exception in its read loop, ends that loop and leaves
`is_connected` true. So health here is a round trip through the server, a watchdog tears down a connection that
fails it, and a connection that nats-py has closed for good ends the process.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from runtime import metrics, servers
from runtime.lifecycle import Lifecycle
from runtime.settings import ServiceSettings
from wire.errors import ErrorCode, ParleyError

_PROBE_SECONDS: Final = 2.0
_PROBES_BEFORE_REVIVAL: Final = 3
_RECONNECT_SECONDS: Final = 0.5
_SAME_ERROR_SECONDS: Final = 10.0

log = structlog.get_logger()


class Bus:
    """One process's connection to NATS."""

    def __init__(self, client: Client) -> None:
        self.client: Final = client
        self.jetstream: Final[JetStreamContext] = client.jetstream()
        self._probe_subject = client.new_inbox()
        self._probe_ids = itertools.count()
        self._probes: dict[bytes, asyncio.Future[None]] = {}
        self._on_reconnect: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run `callback` each time the connection was made again: what was published meanwhile was not heard."""
        self._on_reconnect.append(callback)

    def reconnected(self) -> None:
        """Start what `on_reconnect` registered."""
        for callback in self._on_reconnect:
            task = asyncio.ensure_future(callback())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def request(
        self, subject: str, payload: bytes, *, timeout: float, headers: dict[str, str] | None = None
    ) -> Msg:
        """Send a request and return its reply; `timeout` is in seconds.

        Raises `ParleyError` (unavailable) when there is no connection, nobody answers, or nobody answers in time;
        in the last case the request may have been carried out. Requests leave in the order of the calls.
        """
        if not self.client.is_connected:
            # nats-py would queue it and let the caller wait for a server that may never come.
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected to the message bus", retry_after=1)
        try:
            return await self.client.request(subject, payload, timeout=timeout, headers=headers)
        except NatsError as error:
            raise ParleyError(ErrorCode.UNAVAILABLE, f"no answer: {type(error).__name__}", retry_after=1) from error

    async def publish(self, subject: str, payload: bytes) -> None:
        """Publish, at most once; raises `ParleyError` (unavailable) when there is no connection."""
        if not self.client.is_connected:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected to the message bus", retry_after=1)
        await self.client.publish(subject, payload)

    async def round_trip(self, timeout: float) -> bool:
        """Whether a message sent to ourselves through the server comes back within `timeout` seconds."""
        if not self.client.is_connected:
            return False
        token = b"%d" % next(self._probe_ids)
        returned = asyncio.get_running_loop().create_future()
        self._probes[token] = returned
        try:
            await self.client.publish(self._probe_subject, token)
            async with asyncio.timeout(timeout):
                await returned
        except (NatsError, TimeoutError):
            return False
        finally:
            del self._probes[token]
        return True

    async def why_not_ready(self) -> str | None:
        """A readiness check: one round trip."""
        return None if await self.round_trip(1.0) else "no round trip through NATS"

    async def _on_probe(self, message: Msg) -> None:
        returned = self._probes.get(message.data)
        if returned is not None and not returned.done():
            returned.set_result(None)

    async def _start(self) -> None:
        await self.client.subscribe(self._probe_subject, cb=self._on_probe)

    async def _watch(self) -> None:
        failures = 0
        while True:
            await asyncio.sleep(_PROBE_SECONDS)
            if await self.round_trip(_PROBE_SECONDS):
                failures = 0
            elif self.client.is_connected:
                failures += 1
            if failures >= _PROBES_BEFORE_REVIVAL:
                failures = 0
                metrics.nats_revived.inc()
                log.warning("nats connection is up but carries nothing, reconnecting")
                await self.client.force_reconnect()


class _ErrorLog:
    """Counts every error; logs those of one type once in a while, for an outage brings one each half second."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses
        self._logged_at: dict[str, float] = {}

    async def add(self, error: Exception) -> None:
        """Take note; never raises."""
        kind = type(error).__name__
        metrics.nats_errors.labels(kind=kind).inc()
        now = time.monotonic()
        if now - self._logged_at.get(kind, -_SAME_ERROR_SECONDS) >= _SAME_ERROR_SECONDS:
            self._logged_at[kind] = now
            log.warning("nats error", error=kind, detail=str(error), servers=self._addresses)


@asynccontextmanager
async def connect(settings: ServiceSettings, lifecycle: Lifecycle) -> AsyncIterator[Bus]:
    """Connect, however long it takes; drain and close at the end of the block.

    A connection that nats-py gives up for good (a permanent error from the server) fails the process. Raises
    `SettingsError` when NATS_URL is malformed.
    """
    errors = _ErrorLog(servers.hosts_and_ports(settings.nats_url))
    closing = False

    # None of these may raise: nats-py awaits them inside its read loop.
    async def on_disconnected() -> None:
        metrics.nats_connected.set(0)
        if not closing:
            log.warning("nats disconnected")

    async def on_reconnected() -> None:
        metrics.nats_connected.set(1)
        metrics.nats_reconnects.inc()
        bus.reconnected()
        log.info("nats reconnected")

    async def on_closed() -> None:
        if not lifecycle.is_stopping:
            lifecycle.fail("the connection to NATS was closed for good")

    client = await nats.connect(
        list(settings.nats_url),
        name=settings.instance,
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RECONNECT_SECONDS,
        ping_interval=10,
        error_cb=errors.add,
        disconnected_cb=on_disconnected,
        reconnected_cb=on_reconnected,
        closed_cb=on_closed,
    )
    bus = Bus(client)
    await bus._start()  # noqa: SLF001 - one module
    metrics.nats_connected.set(1)
    lifecycle.add_readiness_check(bus.why_not_ready)
    watchdog = asyncio.create_task(bus._watch())  # noqa: SLF001
    try:
        yield bus
    finally:
        closing = True
        watchdog.cancel()
        with suppress(NatsError, TimeoutError, OSError):
            async with asyncio.timeout(5):
                # A drain needs a server; without one there is nothing left to hand over.
                await (client.drain() if client.is_connected else client.close())
