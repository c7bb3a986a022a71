"""The history service's composition root."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

import structlog

from runtime import bus, rpc, tasks
from runtime.lifecycle import Lifecycle
from runtime.stream import MessageStream
from runtime.version import VERSION
from services.history import database
from services.history.extents import Extents
from services.history.marker_store import MarkerStore
from services.history.notification_store import NotificationStore
from services.history.notifying import Notifying
from services.history.pages import Pages
from services.history.persister import Persister
from services.history.progress import Progress
from services.history.reading import Reading
from services.history.settings import HistorySettings
from services.history.store import MessageStore
from services.history.timing import timed
from wire import subjects
from wire.messages import GetPage
from wire.notifications import Dismiss, GetNotifications, Notify
from wire.reading import CountUnread, MarkRead

_BATCH_SECONDS: Final = 4.0
"""How long the batch in hand may take to be written when the process ends; then another instance gets it."""

log = structlog.get_logger()


async def serve(settings: HistorySettings, lifecycle: Lifecycle) -> None:
    """Persist and answer `history.*` until the process must stop."""
    async with AsyncExitStack() as stack:
        mongo = stack.enter_context(database.connected(settings.database))
        store = MessageStore(mongo)
        connection = await stack.enter_async_context(bus.connect(settings, lifecycle))
        progress = Progress(connection)
        persister = Persister(connection, store, progress, batch_size=settings.batch_size)
        stream = MessageStream(connection)
        extents = Extents(stream, store, progress)
        pages = Pages(stream, store, extents)
        reading = Reading(stream, store, MarkerStore(mongo), extents)
        stack.push_async_callback(tasks.ended, _start(progress.watch(), lifecycle), within=0)
        persisting = _start(persister.run(), lifecycle)
        stack.push_async_callback(tasks.ended, persisting, within=_BATCH_SECONDS)
        stack.callback(persister.stop)
        notifying = Notifying(
            NotificationStore(mongo), most=settings.notifications_kept_most, days=settings.notifications_kept_days
        )
        endpoints: list[rpc.Endpoint[Any]] = [
            rpc.Endpoint(subjects.HISTORY_PAGE, GetPage, timed("page", pages.page)),
            rpc.Endpoint(subjects.HISTORY_READ, MarkRead, timed("read", reading.mark)),
            rpc.Endpoint(subjects.HISTORY_UNREAD, CountUnread, timed("unread", reading.count)),
            rpc.Endpoint(subjects.HISTORY_NOTIFY, Notify, timed("notify", notifying.notify)),
            rpc.Endpoint(subjects.HISTORY_NOTIFICATIONS, GetNotifications, timed("notifications", notifying.kept)),
            rpc.Endpoint(subjects.HISTORY_DISMISS, Dismiss, timed("dismiss", notifying.dismiss)),
        ]
        await stack.enter_async_context(rpc.responder(connection, "history", VERSION, endpoints))
        lifecycle.add_readiness_check(persister.why_not_ready)
        lifecycle.add_readiness_check(notifying.why_not_ready)
        lifecycle.started()
        log.info("ready to answer")
        await lifecycle.stopped()


def _start(work: Coroutine[None, None, None], lifecycle: Lifecycle) -> "asyncio.Task[None]":
    task = asyncio.create_task(work)
    task.add_done_callback(lambda task: _fail_if_crashed(task, lifecycle))
    return task


def _fail_if_crashed(task: "asyncio.Task[None]", lifecycle: Lifecycle) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("history crashed", exc_info=error)
        lifecycle.fail("history crashed")
