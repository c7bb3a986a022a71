"""Clients that read more slowly than they are sent to: what waits for them is bounded, and they are let go."""

import asyncio
from typing import Protocol

import msgspec
import structlog

from services.gateway.edge import metrics
from services.gateway.edge.limits import Limits
from services.gateway.edge.session import Session

_SWEEP_SECONDS = 0.5

log = structlog.get_logger()


class Reader(Protocol):
    """A client that is behind."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for it."""

    @property
    def session(self) -> Session | None:
        """What is kept for it there counts against the total, and not against its own bound."""

    @property
    def may_pause(self) -> bool:
        """Whether it may read nothing for longer than the stall timeout."""

    def let_go(self) -> None:
        """End its session, and free what waits."""


class _Progress(msgspec.Struct):
    written: int
    """Bytes handed over since it fell behind, and those that had to wait then."""
    read: int
    """How many of those had gone when this was last looked at."""
    since: float


class Backlog:
    """Everybody who is behind at the moment; whoever is not costs nothing here."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._behind: dict[Reader, _Progress] = {}
        self._total = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, reader: Reader) -> None:
        """`reader` has something waiting. Idempotent."""
        if reader in self._behind:
            return
        loop = asyncio.get_running_loop()
        unsent = reader.unsent
        self._behind[reader] = _Progress(unsent, 0, loop.time())
        metrics.slow_readers.set(len(self._behind))
        if self._timer is None:
            self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep)
        self._check(reader, unsent, unsent)

    def grew(self, reader: Reader, size: int) -> None:
        """`size` more bytes wait for `reader`."""
        progress = self._behind.get(reader)
        if progress is not None:
            progress.written += size
            self._check(reader, reader.unsent, size)

    def kept(self, size: int) -> None:
        """`size` more bytes are kept for somebody who is behind, or fewer. They count against the total."""
        self._total += size
        if self._total > self._limits.unsent_total_most:
            self._relieve()

    def remove(self, reader: Reader) -> None:
        """Nothing waits for `reader` any more, or it is gone. Idempotent."""
        if self._behind.pop(reader, None) is not None:
            metrics.slow_readers.set(len(self._behind))

    def stop(self) -> None:
        """Watch nobody any more."""
        self._behind.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, reader: Reader, unsent: int, size: int) -> None:
        self._total += size
        if unsent > self._limits.unsent_most:
            self._let_go(reader, "behind")
        elif self._total > self._limits.unsent_total_most:
            self._relieve()

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        total = 0
        for reader, progress in list(self._behind.items()):
            unsent = reader.unsent
            read = progress.written - unsent
            if read != progress.read:
                progress.read, progress.since = read, now
            if now - progress.since >= self._limits.stall_timeout and not reader.may_pause:
                self._let_go(reader, "stalled")
            else:
                total += unsent + _kept(reader)
        self._total = total
        metrics.unsent_bytes.set(total)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._behind else None

    def _relieve(self) -> None:
        # Down to nine tenths, so that not every byte from here on sorts all of them again.
        waiting = sorted(
            ((reader.unsent + _kept(reader), reader) for reader in self._behind), key=lambda each: each[0]
        )
        self._total = sum(unsent for unsent, _ in waiting)
        while waiting and self._total > self._limits.unsent_total_most * 9 // 10:
            unsent, reader = waiting.pop()
            self._total -= unsent
            self._let_go(reader, "overload")

    def _let_go(self, reader: Reader, why: str) -> None:
        metrics.slow_readers_closed.labels(reason=why).inc()
        log.info("slow reader closed", reason=why, unsent=reader.unsent)
        self.remove(reader)
        reader.let_go()


def _kept(reader: Reader) -> int:
    return 0 if reader.session is None else reader.session.kept_bytes
