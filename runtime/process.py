"""The run loop: settings, logs, signals, admin port, and an exit code that tells the truth."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog
import uvloop

from runtime import admin, logs
from runtime.lifecycle import Lifecycle
from runtime.settings import ServiceSettings, SettingsError, load

S = TypeVar("S", bound=ServiceSettings)

_STOP_SECONDS: Final = 10.0
"""How long a process may take to end once it was asked; Kubernetes and the local stack wait a little longer."""

log = structlog.get_logger()


def load_or_exit(service: str, kind: type[S]) -> S:
    """The settings from the environment; or one line on standard error and exit code 1."""
    try:
        return load(kind, os.environ)
    except SettingsError as error:
        sys.exit(f"{service}: {error}")


def run(service: str, kind: type[S], serve: Callable[[S, Lifecycle], Awaitable[None]]) -> None:
    """Run `serve` until SIGTERM, SIGINT or a failure; exits 0 after a clean stop, 1 otherwise.

    `serve` opens its resources, calls `Lifecycle.started`, waits for `Lifecycle.stopped`, and closes them in
    reverse order. While it starts, a signal cancels it. It may raise `SettingsError` for what only a look at a file
    can tell.
    """
    settings = load_or_exit(service, kind)
    logs.configure(service=service, instance=settings.instance, level=settings.log_level)
    try:
        sys.exit(uvloop.run(_main(settings, serve)))
    except SettingsError as error:
        sys.exit(f"{service}: {error}")


async def _main(settings: S, serve: Callable[[S, Lifecycle], Awaitable[None]]) -> int:
    lifecycle = Lifecycle()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, lifecycle.stop)
    try:
        async with admin.serve(settings.admin_host, settings.admin_port, lifecycle):
            await _supervise(settings, serve, lifecycle)
    except OSError as error:
        lifecycle.fail(str(error))
    if lifecycle.failure is not None:
        log.error("failed", reason=lifecycle.failure)
        return 1
    log.info("stopped")
    return 0


async def _supervise(settings: S, serve: Callable[[S, Lifecycle], Awaitable[None]], lifecycle: Lifecycle) -> None:
    serving = asyncio.ensure_future(serve(settings, lifecycle))
    stopping = asyncio.ensure_future(lifecycle.stopped())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not lifecycle.is_started:
        serving.cancel()
    done, _ = await asyncio.wait({serving}, timeout=_STOP_SECONDS)
    if not done:
        serving.cancel()
        lifecycle.fail(f"did not stop within {_STOP_SECONDS:g} s")
        await asyncio.wait({serving}, timeout=1)
        return
    if not serving.cancelled() and (error := serving.exception()) is not None:
        if isinstance(error, SettingsError):
            raise error
        if not isinstance(error, OSError):
            log.error("crashed", exc_info=error)
        lifecycle.fail(str(error) or type(error).__name__)
