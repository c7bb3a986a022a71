"""The key-value bucket of clients' sessions: a record of each, which nobody replaces whom it surprises."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import structlog

from runtime.key_value import KeyValue
from services.gateway.recovery.kept_session import Kept
from wire import codec, subjects
from wire.errors import ErrorCode, ParleyError
from wire.kept_sessions import KeptSession

_SAY_SECONDS: Final = 10.0
_decoder: Final = codec.Decoder(KeptSession)

_FOREIGN: Final = KeptSession(user="-", holder="", rooms={})
"""What another version has put: nobody's here, and not to be replaced."""

log = structlog.get_logger()


class Found(NamedTuple):
    """What is there of a session."""

    revision: int
    """0: nothing, not even that it was deleted."""
    session: KeptSession | None
    """None if it is not kept (any more)."""


class SessionBucket:
    """Every method raises `ParleyError` (unavailable, rate_limited) when `bucket` does not answer.

    That is logged once in ten seconds: clients that did not opt in go on, so nothing else would show it.
    """

    def __init__(self, bucket: KeyValue) -> None:
        self._bucket = bucket
        self._quiet_until = 0.0

    async def find(self, pid: str) -> Found:
        """The session with this id."""
        with self._saying():
            value = await self._bucket.get(subjects.kept_session(pid))
        if value is None:
            return Found(0, None)
        try:
            return Found(value.revision, None if value.data is None else _decoder.decode(value.data))
        except codec.WireError:
            return Found(value.revision, _FOREIGN)

    async def put(self, kept: Kept) -> None:
        """Put what is to be known of `kept`. Raises `WrongRevisionError` if somebody else has."""
        key, changes, record = subjects.kept_session(kept.pid), kept.changes, kept.record
        with self._saying():
            if record is None:
                kept.revision = await self._bucket.delete(key, after=kept.revision)
                kept.given_up = True
            else:
                kept.revision = await self._bucket.put(key, codec.encode(record), after=kept.revision)
        kept.stored = changes

    async def delete(self, kept: Kept) -> None:
        """Nobody can get it back any more. Raises as `put`."""
        with self._saying():
            await self._bucket.delete(subjects.kept_session(kept.pid), after=kept.revision)

    @contextmanager
    def _saying(self) -> Iterator[None]:
        try:
            yield
        except ParleyError as error:
            now = time.monotonic()
            if error.code is ErrorCode.UNAVAILABLE and now >= self._quiet_until:
                self._quiet_until = now + _SAY_SECONDS
                log.warning("the bucket of clients' sessions does not answer", detail=error.message)
            raise
