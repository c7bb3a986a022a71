"""A server beside the test: on uvloop, as the gateway's is, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

import uvloop
from aiohttp import web

from tests.conformance import server

T = TypeVar("T")

Start = Callable[[web.Application], Coroutine[Any, Any, tuple[web.AppRunner, int]]]

_SECONDS = 20.0


class Serving:
    """Serves what `make` returns on a free `port`, within `with`. Tests may block: the server goes on."""

    def __init__(self, make: Callable[[], web.Application], start: Start = server.start) -> None:
        self._make = make
        self._start = start
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="edge")
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{server.HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        assert self._ready.wait(_SECONDS)
        if self._failed is not None:
            raise self._failed
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until everything has ended."""
        if self._loop is not None and self._over is not None:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(_SECONDS)
        assert not self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` where the server runs; what it returns."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_SECONDS)

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` where the server runs; what it returns."""

        async def work() -> T:
            return function()

        return self.run(work())

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the test has to know
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        runner, self.port = await self._start(self._make())
        self._ready.set()
        try:
            await self._over.wait()
        finally:
            await runner.cleanup()
