"""The bucket in which gateways keep clients' sessions: made, and made again, whatever becomes of the messages.

What is said is persisted without it: it cannot be made while too few nats-servers run for its replicas, for one.
"""

import asyncio
from typing import Final

import structlog
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from runtime.bus import Bus
from wire import streams

_LOOK_SECONDS: Final = 20.0
_RETRY_SECONDS: Final = 1.0

log = structlog.get_logger()


class SessionsBucket:
    """Looks after the bucket while `keep` runs."""

    def __init__(self, bus: Bus, *, replicas: int) -> None:
        self._bus = bus
        self._declared = streams.kept_sessions(replicas=replicas)
        self._is_declared = False
        self._is_failing = False

    async def keep(self) -> None:
        """Declare the bucket, and look now and then whether it is still there, for ever. May be cancelled."""
        while True:
            try:
                await self._look()
            except (NatsError, TimeoutError, OSError) as error:
                if not self._is_failing:
                    log.warning("no bucket of sessions, trying on", error=type(error).__name__, detail=str(error))
                self._is_failing = True
            else:
                self._is_failing = False
            await asyncio.sleep(_RETRY_SECONDS if self._is_failing else _LOOK_SECONDS)

    async def _look(self) -> None:
        manager = self._bus.jetstream
        await manager.add_stream(streams.control(replicas=1))
        try:
            # Once is enough for new settings, and asking costs a cluster less than an update.
            if self._is_declared:
                await manager.stream_info(streams.KEPT_SESSIONS)
            else:
                await manager.update_stream(self._declared)
        except NotFoundError:
            await manager.add_stream(self._declared)
            log.info("bucket of sessions made", stream=streams.KEPT_SESSIONS)
        self._is_declared = True
