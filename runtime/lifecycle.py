"""The life of a process: it starts, it is ready, it stops; and who may say so."""

import asyncio
from collections.abc import Awaitable, Callable

from runtime import collector

ReadinessCheck = Callable[[], Awaitable[str | None]]
"""Returns None when ready, or the reason why not. Never raises."""


class Lifecycle:
    """Told by whoever learns that the process must end; watched by the run loop and the admin port."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._started = False
        self._failure: str | None = None
        self._checks: list[ReadinessCheck] = []

    def stop(self) -> None:
        """Ask the process to end well, exit code 0. Idempotent."""
        self._stop.set()

    def fail(self, reason: str) -> None:
        """End the process with `reason` and exit code 1, also when it was about to end; the first reason counts."""
        if self._failure is None:
            self._failure = reason
        self._stop.set()

    def started(self) -> None:
        """The process accepts traffic from now on."""
        self._started = True
        collector.settle()

    async def stopped(self) -> None:
        """Wait until the process must end."""
        await self._stop.wait()

    def add_readiness_check(self, check: ReadinessCheck) -> None:
        """Let `check` have a say in `why_not_ready`."""
        self._checks.append(check)

    async def why_not_ready(self) -> str | None:
        """The first reason not to send traffic here, or None."""
        if self._stop.is_set():
            return "stopping"
        if not self._started:
            return "starting"
        for check in self._checks:
            reason = await check()
            if reason is not None:
                return reason
        return None

    @property
    def is_stopping(self) -> bool:
        """Whether the process was told to end, well or not."""
        return self._stop.is_set()

    @property
    def is_started(self) -> bool:
        """Whether `started` was called."""
        return self._started

    @property
    def failure(self) -> str | None:
        """Why the process failed, if it did."""
        return self._failure
