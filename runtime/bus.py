"""The connection to NATS: survives outages for ever, and never claims to work when it does not.

A connection can look alive and carry nothing. So health here is a round trip through the server, a watchdog tears
down a connection that fails it, and a connection that nats-py has closed for good ends the process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from runtime import metrics, nats_tls, nkeys, servers, watchdog
from runtime.calls import Calls, OnReply
from runtime.lifecycle import Lifecycle
from runtime.listening import Delivery, Listening, OnMessage
from runtime.nats_client import NatsClient
from runtime.nats_errors import NatsErrors
from runtime.settings import ProcessSettings
from wire import subjects
from wire.errors import ErrorCode, ParleyError

_RECONNECT_SECONDS: Final = 0.5
_UNSENT_MOST_BYTES: Final = 8 * 1024 * 1024

log = structlog.get_logger()


class Bus:
    """One process's connection to NATS. What is sent leaves in the order of the calls, whichever they are.

    Nothing here waits for the server to read: what it did not read yet is bounded, and more of it is refused.
    """

    def __init__(self, client: NatsClient) -> None:
        self.client: Final = client
        self.jetstream: Final[JetStreamContext] = client.jetstream()
        self._calls = Calls(client)
        self._on_reconnect: list[Callable[[], Awaitable[None]]] = []
        self._on_disconnect: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Future[None]] = set()

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run `callback` each time the connection was made again: what was published meanwhile was not heard."""
        self._on_reconnect.append(callback)

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Run `callback`, which never raises, each time the connection is lost: before anything is heard again."""
        self._on_disconnect.append(callback)

    def disconnected(self) -> None:
        """Do what `on_disconnect` registered."""
        for callback in self._on_disconnect:
            callback()

    def reconnected(self) -> None:
        """Start what `on_reconnect` registered; what fails of it is logged."""
        for callback in self._on_reconnect:
            task = asyncio.ensure_future(callback())
            self._tasks.add(task)
            task.add_done_callback(self._reconnect_handled)

    def _reconnect_handled(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("handling a reconnect failed", exc_info=error)

    def closed(self) -> None:
        """The connection does not come back: whoever waits for a reply is told."""
        self._calls.fail_all()

    def publish(self, subject: str, payload: bytes, *, headers: bytes = b"", reply: str = "") -> None:
        """Publish, at most once; `headers` is a whole NATS header block (see `wire.headers`).

        Raises `ParleyError`, and then nothing was sent: unavailable without a connection, rate_limited while too
        much waits for the server to read it, too_large above what the server takes. Raises `ValueError` when
        `subject` is none: its wording belongs to `wire.subjects`.
        """
        client = self.client
        if not client.is_connected:
            raise ParleyError(ErrorCode.UNAVAILABLE, "not connected to the message bus", retry_after=1)
        if client.pending_data_size > _UNSENT_MOST_BYTES:
            raise ParleyError(ErrorCode.RATE_LIMITED, "too much waits to be sent", retry_after=1)
        size = len(headers) + len(payload)
        if size > client.max_payload:
            # The server would close the connection for it.
            raise ParleyError(ErrorCode.TOO_LARGE, "more than a message may hold")
        _check(subject)
        if headers:
            client.send(f"HPUB {subject} {reply} {len(headers)} {size}\r\n".encode() + headers + payload + b"\r\n")
        else:
            client.send(f"PUB {subject} {reply} {size}\r\n".encode() + payload + b"\r\n")

    def listen(self, subject: str, on_message: OnMessage) -> Listening:
        """Have `on_message` called with all that is published on `subject`, straight from the read loop.

        Survives reconnects. What is published or called after this call, by us, is heard. Whatever `on_message`
        raises is reported, and the next message comes. Raises `ValueError` when `subject` is none.
        """
        _check(subject)
        return self.client.listen(subject, on_message)

    def call(self, subject: str, payload: bytes, on_reply: OnReply, *, timeout: float, headers: bytes = b"") -> None:
        """Send a request; `on_reply` is called once, straight from the read loop or from a timer.

        It gets the reply, or a `ParleyError` (unavailable): nobody answers, nobody did within `timeout` seconds, or
        the connection was closed for good; in the last two cases the request may have been carried out. `timeout`
        should be one of few constants: a timer runs for each. Raises as `publish`, and never calls `on_reply` then.
        """
        reply = self._calls.next_reply_subject(subject)
        self.publish(subject, payload, headers=headers, reply=reply)
        self._calls.expect(reply, on_reply, timeout)

    async def request(self, subject: str, payload: bytes, *, timeout: float, headers: bytes = b"") -> Delivery:
        """Send a request and return its reply; raises what `call` raises or tells. May be cancelled."""
        answered: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self.call(subject, payload, partial(_settle, answered), timeout=timeout, headers=headers)
        return await answered

    async def round_trip(self, timeout: float) -> bool:
        """Whether a message sent to ourselves through the server comes back within `timeout` seconds."""
        returned: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        own = self._calls.next_reply_subject("")
        try:
            self.publish(own, b"")
            self._calls.expect(own, partial(_settle, returned), timeout)
            await returned
        except ParleyError:
            return False
        return True

    async def why_not_ready(self) -> str | None:
        """A readiness check: one round trip."""
        return None if await self.round_trip(1.0) else "no round trip through NATS"


def _check(subject: str) -> None:
    # A space or a line end in it would be read as protocol.
    if not subject.isprintable() or not subject or " " in subject:
        raise ValueError(f"no subject: {subject!r}")


def _settle(future: asyncio.Future[Delivery], reply: Delivery | ParleyError) -> None:
    if future.done():  # whoever waited has gone
        return
    if isinstance(reply, ParleyError):
        future.set_exception(reply)
    else:
        future.set_result(reply)


@asynccontextmanager
async def connect(settings: ProcessSettings, lifecycle: Lifecycle) -> AsyncIterator[Bus]:
    """Connect, however long it takes; drain and close at the end of the block.

    A connection that nats-py gives up for good (a permanent error from the server) fails the process. Raises
    `SettingsError` when NATS_URL is malformed, or a file cannot be used that a setting names.
    """
    errors = NatsErrors(servers.hosts_and_ports(settings.nats_url))
    key = nkeys.read("NATS_NKEY_FILE", settings.nats_nkey_file) if settings.nats_nkey_file else None
    closing = False

    # None of these may raise: nats-py awaits them inside its read loop.
    async def on_disconnected() -> None:
        metrics.nats_connected.set(0)
        bus.disconnected()
        if not closing:
            log.warning("nats disconnected")

    async def on_reconnected() -> None:
        metrics.nats_connected.set(1)
        metrics.nats_reconnects.inc()
        bus.reconnected()
        log.info("nats reconnected")

    async def on_closed() -> None:
        bus.closed()
        if not closing and not lifecycle.is_stopping:
            lifecycle.fail(f"the connection to NATS was closed for good: {client.last_error}")

    client = NatsClient(errors.note, None if key is None else key.public)
    await client.connect(
        list(settings.nats_url),
        name=settings.instance,
        inbox_prefix=subjects.inbox(settings.nats_user),
        signature_cb=None if key is None else key.sign,
        tls=nats_tls.context(settings),
        max_reconnect_attempts=-1,
        reconnect_time_wait=_RECONNECT_SECONDS,  # type: ignore[arg-type] # it is slept as it is
        ping_interval=10,
        # Above what may wait unsent, or nats-py would make its read loop wait, too.
        pending_size=2 * _UNSENT_MOST_BYTES,
        error_cb=errors.add,
        disconnected_cb=on_disconnected,
        reconnected_cb=on_reconnected,
        closed_cb=on_closed,
    )
    bus = Bus(client)
    metrics.nats_connected.set(1)
    lifecycle.add_readiness_check(bus.why_not_ready)
    watching = asyncio.create_task(watchdog.watch(bus))
    try:
        yield bus
    finally:
        closing = True
        watching.cancel()
        with suppress(NatsError, TimeoutError, OSError):
            async with asyncio.timeout(5):
                # A drain needs a server; without one there is nothing left to hand over.
                await (client.drain() if client.is_connected else client.close())
