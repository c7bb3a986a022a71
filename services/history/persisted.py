"""Whether MongoDB has everything: what a backup of it begins with.

A message is acknowledged once the stream holds it, and reaches MongoDB a moment later. A backup that is begun after
`run` has returned has every message that was acknowledged before `run` was called.
"""

import asyncio
from typing import Final

import structlog
from nats.errors import Error as NatsError

from runtime import bus, stored
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.stored import Wanted
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
    floor = 0 if info.ack_floor is None else info.ack_floor.stream_seq
    if floor >= upto:
        return ""
    waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
    if not waiting:
        # As far as its server knows, whose replica of the stream may be behind the leader's. And a message that was
        # removed by hand is never acknowledged.
        left = await stored.get(connection, streams.MESSAGES, Wanted(seq=floor + 1, next_by_subj=">"))
        if left is None or left.seq > upto:
            return ""
    return f"{waiting or 'some'} messages are not in MongoDB yet"
