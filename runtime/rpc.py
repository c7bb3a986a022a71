"""Typed request/reply over NATS micro services: queue groups, `$SRV` discovery and statistics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Generic, TypeVar

import msgspec
import structlog
from nats import micro
from nats.errors import Error as NatsError
from nats.micro.request import Request as Asked
from opentelemetry.trace import SpanKind

from runtime import nats_service, tracing
from runtime.bus import Bus
from runtime.failures import Failures
from wire import codec, headers, subjects
from wire.errors import ErrorCode, ParleyError
from wire.messages import Message, Refused

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)

CONCURRENCY: Final = 64
_FINISH_SECONDS: Final = 5.0
_ERROR_HEADER: Final = b"\r\nNats-Service-Error-Code:"

log = structlog.get_logger()
_failures: Final = Failures()


class Endpoint(msgspec.Struct, Generic[Q], frozen=True):
    """One subject that a service answers."""

    subject: str
    request: type[Q]
    handler: Callable[[Q], Awaitable[Message]]
    """May raise `ParleyError`, which is answered as `Refused`."""
    concurrency: int = CONCURRENCY
    """How many requests of one instance may be under way; the others wait in their order."""


@asynccontextmanager
async def responder(
    bus: Bus, name: str, version: str, endpoints: list[Endpoint[Any]], *, finish_seconds: float = _FINISH_SECONDS
) -> AsyncIterator[None]:
    """Answer `endpoints` while the block runs; requests are shared among all instances that answer `name`.

    At its end no more requests come here, and those that have come are answered: within `finish_seconds`, which are
    to leave the process some of its `stop_seconds`.
    """
    service = await micro.add_service(bus.client, name=name, version=version, description=f"Parley {name}")
    tasks: set[asyncio.Task[None]] = set()
    try:
        for each in endpoints:
            await service.add_endpoint(
                name=each.subject.replace(".", "-"),
                subject=each.subject,
                handler=_dispatcher(each, tasks),
                queue_group=name,
            )
        yield
    finally:
        with suppress(NatsError, TimeoutError):
            async with asyncio.timeout(finish_seconds):
                if bus.client.is_connected:
                    await nats_service.stop(service)
                while tasks:
                    await asyncio.wait(tasks)


def _dispatcher(endpoint: Endpoint[Any], tasks: set[asyncio.Task[None]]) -> Callable[[Asked], Awaitable[None]]:
    # nats.micro awaits one request at a time; a slow one would hold up all others of its subject.
    slots = asyncio.Semaphore(endpoint.concurrency)
    decoder = codec.Decoder(endpoint.request)
    attributes = _described(endpoint.subject)

    async def dispatch(request: Asked) -> None:
        if not subjects.is_inbox(request._msg.reply):  # noqa: SLF001 - nats.micro would answer there in our name
            log.warning("a question was not answered: it names no inbox", subject=endpoint.subject)
            return
        await slots.acquire()
        task = asyncio.create_task(_answer_traced(endpoint, decoder, request, attributes))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: slots.release())

    return dispatch


async def _answer_traced(
    endpoint: Endpoint[Any], decoder: codec.Decoder[Any], request: Asked, attributes: tracing.Attributes
) -> None:
    parent = (request.headers or {}).get(headers.TRACEPARENT, "")
    with tracing.request(endpoint.subject, attributes, parent=parent) as traced:
        await _answer(endpoint, decoder, request, traced)


async def _answer(
    endpoint: Endpoint[Any], decoder: codec.Decoder[Any], request: Asked, traced: tracing.Request
) -> None:
    try:
        reply = codec.encode(await endpoint.handler(decoder.decode(request.data)))
    except codec.WireError as error:
        reply = _refused(ParleyError(ErrorCode.INVALID, str(error)), endpoint, traced)
    except ParleyError as error:
        reply = _refused(error, endpoint, traced)
    except Exception:  # whatever it was, the caller gets an answer and the service goes on
        log.exception("request failed", subject=endpoint.subject)
        traced.failed(ErrorCode.INTERNAL, is_ours=True)
        await _respond(request.respond_error("500", "internal error"), endpoint)
        return
    await _respond(request.respond(reply), endpoint)


def _refused(error: ParleyError, endpoint: Endpoint[Any], traced: tracing.Request) -> bytes:
    _failures.note("request refused", error.code, subject=endpoint.subject)
    traced.failed(error.code, is_ours=error.code is ErrorCode.UNAVAILABLE)
    return codec.encode(Refused(code=error.code, message=error.message, retry_after=error.retry_after))


def _described(subject: str) -> tracing.Attributes:
    # https://opentelemetry.io/docs/specs/semconv/rpc/ and .../messaging/
    service, _, method = subject.partition(".")
    return {
        "rpc.system": "nats",
        "rpc.service": service,
        "rpc.method": method,
        "messaging.system": "nats",
        "messaging.destination.name": subject,
    }


async def _respond(responding: Awaitable[None], endpoint: Endpoint[Any]) -> None:
    try:
        await responding
    except NatsError as error:
        # The caller is told by its timeout. A handler must bound its replies: NATS carries 1 MiB at most.
        log.error("reply not sent", subject=endpoint.subject, error=type(error).__name__)  # noqa: TRY400


class Caller(Generic[R]):
    """Calls one subject, whose answer is `R` or `Refused`."""

    def __init__(self, bus: Bus, subject: str, reply: type[R], *, timeout: float) -> None:
        self._bus = bus
        self._subject = subject
        self._timeout = timeout
        self._decoder: codec.Decoder[R | Refused] = codec.Decoder(reply | Refused)  # type: ignore[arg-type]
        self._attributes = _described(subject)

    async def __call__(self, request: Message) -> R:
        """Return the reply. Raises `ParleyError`: what the service refused, unavailable, or internal.

        The question belongs to the current request's trace, or to one of its own.
        """
        asked = tracing.part(self._subject, SpanKind.CLIENT, self._attributes)
        if asked is None:
            return await self._ask(request, headers.traced(tracing.traceparent()))
        with asked:
            return await self._ask(request, headers.traced(asked.traceparent))

    async def _ask(self, request: Message, block: bytes) -> R:
        message = await self._bus.request(self._subject, codec.encode(request), timeout=self._timeout, headers=block)
        if _ERROR_HEADER in message.headers:
            raise ParleyError(ErrorCode.INTERNAL, "internal error")
        try:
            reply = self._decoder.decode(message.data)
        except codec.WireError as error:
            raise ParleyError(ErrorCode.INTERNAL, "internal error") from error
        if isinstance(reply, Refused):
            raise ParleyError(reply.code, reply.message, reply.retry_after)
        return reply
