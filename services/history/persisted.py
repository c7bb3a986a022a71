"""Whether MongoDB has everything: what a backup of it begins with.

A message is acknowledged once the stream holds it, and reaches MongoDB a moment later. A backup that is begun after
`run` has returned has every message that was acknowledged before `run` was called.
"""

import asyncio
from typing import Final

import structlog
from nats.errors import Error as NatsError

from runtime import bus
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from services.history import consumer
from services.history.settings import SetupSettings
from services.history.setup import SetupError
from wire import streams
from wire.errors import ParleyError

_PAUSE: Final = 0.1

log = structlog.get_logger()


async def run(settings: SetupSettings) -> None:
    """Wait, for SETUP_SECONDS at most; raises `SetupError`."""
    lacking = "no connection to NATS"
    upto: int | None = None
    try:
        async with asyncio.timeout(settings.setup_seconds), bus.connect(settings, Lifecycle()) as connection:
            while True:
                try:
                    if upto is None:
                        upto = (await connection.jetstream.stream_info(streams.MESSAGES)).state.last_seq
                    lacking = await _lacking(connection, upto)
                except (NatsError, ParleyError, TimeoutError, OSError) as error:
                    lacking = f"{type(error).__name__}: {error}"
                if not lacking:
                    break
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise SetupError(f"not within {settings.setup_seconds:g} s: {lacking}") from None
    log.info("everything is in MongoDB", upto=upto)


async def _lacking(connection: Bus, upto: int) -> str:
    info = await connection.jetstream.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
    if consumer.floor(info) >= upto:
        return ""
    waiting = consumer.waiting(info)
    if not waiting:
        # As far as its server knows, whose replica of the stream may be behind the leader's. And a message that was
        # removed by hand is never acknowledged.
        left = await consumer.first_above_floor(connection, info)
        if left is None or left.seq > upto:
            return ""
    return f"{waiting or 'some'} messages are not in MongoDB yet"
