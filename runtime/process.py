"""The run loop: settings, logs, traces, signals, admin port, and an exit code that tells the truth."""

import asyncio
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop

from runtime import admin, collector, logs, loop_lag, memory_limit, metrics, trace_export
from runtime.lifecycle import Lifecycle
from runtime.settings import ProcessSettings, ServiceSettings, SettingsError, load
from runtime.version import VERSION

P = TypeVar("P", bound=ProcessSettings)
S = TypeVar("S", bound=ServiceSettings)

log = structlog.get_logger()


def begin(service: str, kind: type[P]) -> P:
    """Configure logs, and return the settings in the environment; or one line on standard error, and exit code 1."""
    try:
        settings = load(kind, os.environ)
    except SettingsError as error:
        sys.exit(f"{service}: {error}")
    logs.configure(service=service, instance=settings.instance, level=settings.log_level)
    return settings


def run(service: str, kind: type[S], serve: Callable[[S, Lifecycle], Awaitable[None]]) -> None:
    """Run `serve` until SIGTERM, SIGINT or a failure; exits 0 after a clean stop, 1 otherwise.

    `serve` opens its resources, calls `Lifecycle.started`, waits for `Lifecycle.stopped`, and closes them in
    reverse order, within `ServiceSettings.stop_seconds`. While it starts, a signal cancels it. A second signal ends
    the process at once, with exit code 1. It may raise `SettingsError` for what only a look at a file can tell.
    """
    settings = begin(service, kind)
    metrics.build_info.labels(
        service=service, version=VERSION, revision=settings.revision, python=platform.python_version()
    ).set(1)
    metrics.memory_limit.set_function(memory_limit.read)  # it may be changed while the process runs
    try:
        stop_recording = trace_export.configured(service, settings.instance, os.environ)
        try:
            code = uvloop.run(_main(settings, serve))
        finally:
            stop_recording()
    except SettingsError as error:
        sys.exit(f"{service}: {error}")
    sys.exit(code)


async def _main(settings: S, serve: Callable[[S, Lifecycle], Awaitable[None]]) -> int:
    lifecycle = Lifecycle()
    _handle_signals(lifecycle)
    try:
        async with admin.serve(settings.admin_host, settings.admin_port, lifecycle):
            with collector.regularly(), loop_lag.measured():
                await _supervise(settings, serve, lifecycle)
    except OSError as error:
        lifecycle.fail(str(error))
    if lifecycle.failure is not None:
        log.error("failed", reason=lifecycle.failure)
        return 1
    log.info("stopped")
    return 0


def _handle_signals(lifecycle: Lifecycle) -> None:
    was_told = False

    def on_signal() -> None:
        nonlocal was_told
        if was_told:
            log.warning("told to stop a second time: ending at once")
            sys.stdout.flush()
            # The default action would not do: the kernel keeps it from the first process of a container.
            os._exit(1)
        was_told = True
        lifecycle.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)


async def _supervise(settings: S, serve: Callable[[S, Lifecycle], Awaitable[None]], lifecycle: Lifecycle) -> None:
    serving = asyncio.ensure_future(serve(settings, lifecycle))
    stopping = asyncio.ensure_future(lifecycle.stopped())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not lifecycle.is_started:
        serving.cancel()
    done, _ = await asyncio.wait({serving}, timeout=settings.stop_seconds)
    if not done:
        serving.cancel()
        lifecycle.fail(f"did not stop within {settings.stop_seconds:g} s")
        await asyncio.wait({serving}, timeout=1)
        return
    if not serving.cancelled() and (error := serving.exception()) is not None:
        if isinstance(error, SettingsError):
            raise error
        if not isinstance(error, OSError):
            log.error("crashed", exc_info=error)
        lifecycle.fail(str(error) or type(error).__name__)
