"""The admin step: makes or updates what the services need of NATS and MongoDB. They make none of it themselves.

    the streams MESSAGES and CONTROL, the bucket SESSIONS, history's durable consumer, and history's indexes

Running it again changes nothing but what its settings say; two at once come to the same. It has to be run before the
services can work, when a setting of it changes, and when NATS has lost its disk.

SetupError
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import structlog
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from runtime import bus, tasks
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from services.history import database
from services.history.notification_store import NotificationStore
from services.history.refusals import WriteFailedError
from services.history.settings import SetupSettings
from services.history.store import MessageStore
from wire import streams

_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_SEQ_MARGIN: Final = 1_000_000
"""A stream that was lost may have held this many messages that never reached history."""

log = structlog.get_logger()


class SetupError(Exception):
    """Not everything was made; the message is the one line to show."""


class Setup:
    """One run of the step. What could be made is made, whatever becomes of the rest."""

    def __init__(self, settings: SetupSettings, store: MessageStore, notifications: NotificationStore) -> None:
        self._settings = settings
        self._store = store
        self._notifications = notifications
        self.lacking = {"nats": "no connection"}
        """What is not done yet, and why."""

    async def run(self) -> None:
        """Returns once everything is there; tries for ever. May be cancelled."""
        async with bus.connect(self._settings, Lifecycle()) as connection:
            await self._make_all(connection)

    async def _make_all(self, connection: Bus) -> None:
        pause = _SHORTEST_PAUSE
        replicas = self._settings.messages_replicas
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "history's indexes": self._make_indexes,
            streams.MESSAGES: lambda: self._make_messages(connection),
            streams.CONTROL: lambda: _make(connection, streams.control(replicas=replicas)),
            streams.KEPT_SESSIONS: lambda: _make(connection, streams.kept_sessions(replicas=replicas)),
        }
        self.lacking = dict.fromkeys(works, "no answer")
        while self.lacking:
            await asyncio.gather(*(self._try(name, works[name]) for name in tuple(self.lacking)))
            if self.lacking:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _try(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (NatsError, TimeoutError, OSError, WriteFailedError) as error:
            self._note(name, f"{type(error).__name__}: {error}")
        else:
            del self.lacking[name]

    def _note(self, name: str, why: str) -> None:
        if self.lacking.get(name) != why:
            log.warning("not done yet, trying on", what=name, detail=why)
        self.lacking[name] = why

    async def _make_indexes(self) -> None:
        await self._store.prepare()
        await self._notifications.prepare()

    async def _make_messages(self, connection: Bus) -> None:
        """A stream that has to be made starts above everything that it may have held before.

        So no seq is ever used twice, even when NATS has lost its disk.
        """
        manager = connection.jetstream
        try:
            info = await manager.stream_info(streams.MESSAGES)
        except NotFoundError:
            highest = await self._store.highest_seq()
            first_seq = highest + _SEQ_MARGIN if highest else 1
            await manager.add_stream(self._messages(first_seq))
            log.info("stream made", stream=streams.MESSAGES, first_seq=first_seq)
        else:
            await manager.update_stream(self._messages(info.config.first_seq or 1))
        await manager.add_consumer(streams.MESSAGES, streams.history_consumer())

    def _messages(self, first_seq: int) -> StreamConfig:
        settings = self._settings
        return streams.messages(
            replicas=settings.messages_replicas,
            max_age=settings.messages_max_age_days * 86_400,
            max_bytes=settings.messages_max_bytes,
            dedupe_window=settings.dedupe_window_seconds,
            first_seq=first_seq,
        )


async def _make(connection: Bus, config: StreamConfig) -> None:
    manager = connection.jetstream
    try:
        await manager.update_stream(config)
    except NotFoundError:
        await manager.add_stream(config)
        log.info("stream made", stream=config.name)


async def run(settings: SetupSettings) -> None:
    """Make or update everything; raises `SetupError`, after SETUP_SECONDS at the latest, and `SettingsError`."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as exits:
        mongo = exits.enter_context(database.connected(settings.database))
        setup = Setup(settings, MessageStore(mongo), NotificationStore(mongo))
        running = asyncio.create_task(setup.run())
        exits.push_async_callback(tasks.ended, running, within=0)
        stopped = asyncio.create_task(stopping.wait())
        exits.callback(stopped.cancel)
        await asyncio.wait({running, stopped}, timeout=settings.setup_seconds, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            log.info("done")
        elif stopping.is_set():
            raise SetupError("stopped")
        else:
            lacking = "; ".join(f"{name} ({why})" for name, why in setup.lacking.items())
            raise SetupError(f"not done within {settings.setup_seconds:g} s: {lacking}")
