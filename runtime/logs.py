"""Structured logs: one JSON object a line on standard output, through structlog, for our code and for libraries.

Each line has service, instance, event, level and timestamp, and trace_id and span_id within a request. An event
carries ids and counts. It never carries a token, a password or the body of a message: call sites do not pass them,
and `_drop_secrets` removes them by name should one slip in.
"""

import logging
import math
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

from runtime import tracing

_SECRET_NAMES: Final = frozenset(
    {"token", "access_token", "refresh_token", "password", "authorization", "body", "data", "payload", "headers"}
)


def _drop_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: _without_secrets(name, value) for name, value in event.items()}


def _without_secrets(name: str, value: object) -> object:
    if name.lower() in _SECRET_NAMES:
        return "[removed]"
    if isinstance(value, dict):
        return {str(key): _without_secrets(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets("", inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    return value


def configure(*, service: str, instance: str, level: str) -> None:
    """Route structlog and the standard library's logging to JSON lines. Call once, before anything logs."""

    def identify(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        event["instance"] = instance
        if (request := tracing.current()) is not None:
            event.setdefault("trace_id", request.trace_id)
            event.setdefault("span_id", request.span_id)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        identify,
        structlog.processors.format_exc_info,  # while it is the tuple that libraries log
        _drop_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # pymongo narrates every heartbeat, and asyncio's debug lines are for developers of asyncio.
    for chatty in ("pymongo", "asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
