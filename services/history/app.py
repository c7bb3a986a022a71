"""The history service's composition root."""

import asyncio
import time
from contextlib import AsyncExitStack

import structlog

from runtime import bus, rpc
from runtime.lifecycle import Lifecycle
from runtime.stream import MessageStream
from services.history import metrics
from services.history.pages import Pages
from services.history.persister import Persister
from services.history.progress import Progress
from services.history.settings import HistorySettings
from services.history.store import MessageStore
from wire import subjects
from wire.errors import ParleyError
from wire.messages import GetPage, Page

VERSION = "1.0.0"

log = structlog.get_logger()


async def serve(settings: HistorySettings, lifecycle: Lifecycle) -> None:
    """Persist and answer `history.*` until the process must stop."""
    store = MessageStore(settings.mongo_url, settings.mongo_database)
    async with AsyncExitStack() as stack:
        stack.callback(store.close)
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        progress = Progress(connection)
        persister = Persister(connection, store, progress, settings)
        pages = Pages(MessageStream(connection), store, progress)

        async def page(request: GetPage) -> Page:
            started = time.perf_counter()
            result = "ok"
            try:
                return await pages.page(request)
            except ParleyError as error:
                result = error.code
                raise
            finally:
                metrics.page_duration.labels(result=result).observe(time.perf_counter() - started)

        for work in (progress.watch(), persister.run()):
            task = asyncio.create_task(work)
            stack.push_async_callback(_cancelled, task)
            task.add_done_callback(lambda task: _fail_if_crashed(task, lifecycle))
        endpoints = [rpc.Endpoint(subjects.HISTORY_PAGE, GetPage, page)]
        await stack.enter_async_context(rpc.responder(connection, "history", VERSION, endpoints))
        lifecycle.add_readiness_check(persister.why_not_ready)
        lifecycle.started()
        log.info("ready to answer")
        await lifecycle.stopped()


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


def _fail_if_crashed(task: "asyncio.Task[None]", lifecycle: Lifecycle) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("history crashed", exc_info=error)
        lifecycle.fail("history crashed")
