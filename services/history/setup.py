"""The admin step: makes or updates what the services need of NATS and MongoDB. They make none of it themselves.

    the streams MESSAGES and CONTROL, the bucket SESSIONS, history's durable consumer, and history's indexes

Running it again changes nothing but what its settings say; two at once come to the same. It has to be run before the
services can work, when a setting of it changes, when NATS has lost its disk, and when MongoDB was restored.

SetupError
"""

import asyncio
import math
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import structlog
from nats.errors import Error as NatsError
from nats.js import JetStreamManager
from nats.js.api import StreamConfig, StreamState
from nats.js.errors import NotFoundError

from runtime import bus, tasks
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from services.history import database
from services.history.consumer import acknowledged_upto
from services.history.known import Known
from services.history.notification_store import NotificationStore
from services.history.refusals import WriteFailedError
from services.history.settings import SetupSettings
from services.history.store import MessageStore
from wire import streams

_SHORTEST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_SEQS_PER_SECOND: Final = 1_000_000
"""No stream takes messages faster; a lost one held what came since the newest that history knows of."""

log = structlog.get_logger()


class SetupError(Exception):
    """Not everything was made; the message is the one line to show."""


class Setup:
    """One run of the step. What could be made is made, whatever becomes of the rest."""

    def __init__(
        self,
        settings: SetupSettings,
        store: MessageStore,
        notifications: NotificationStore,
        *,
        persist_again: bool = False,
    ) -> None:
        self._settings = settings
        self._persist_again = persist_again
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
            first_seq = first_seq_above(await self._store.known(), now=time.time())
            await manager.add_stream(self._messages(first_seq))
            log.info("stream made", stream=streams.MESSAGES, first_seq=first_seq)
        else:
            await manager.update_stream(self._messages(info.config.first_seq or 1))
            await self._forget_what_mongo_lost(manager, info.state)
        await manager.add_consumer(streams.MESSAGES, streams.history_consumer())

    async def _forget_what_mongo_lost(self, manager: JetStreamManager, stream: StreamState) -> None:
        """A database that was restored lacks what came after its backup: history has to get all of it again.

        Without its consumer, whose account is of the other database, it gets whatever the stream holds.
        """
        try:
            consumer = await manager.consumer_info(streams.MESSAGES, streams.HISTORY_CONSUMER)
            upto = acknowledged_upto(stream, consumer)
            highest = (await self._store.known()).highest_seq
            if self._persist_again or upto > highest:
                log.warning("history persists again what the stream holds", acknowledged=upto, in_mongodb=highest)
                await manager.delete_consumer(streams.MESSAGES, streams.HISTORY_CONSUMER)
        except NotFoundError:
            pass
        self._persist_again = False

    def _messages(self, first_seq: int) -> StreamConfig:
        settings = self._settings
        return streams.messages(
            replicas=settings.messages_replicas,
            max_age=settings.messages_max_age_days * 86_400,
            max_bytes=settings.messages_max_bytes,
            dedupe_window=settings.dedupe_window_seconds,
            first_seq=first_seq,
        )


def first_seq_above(known: Known, *, now: float) -> int:
    """Where a stream that takes the place of a lost one begins: above all that any client may have seen.

    `known` may be of a backup. It has the newest message that is in it, and so tells how much can have come since.
    `now` is in seconds since the epoch.
    """
    if not known.highest_seq:
        return 1
    since = 0.0 if known.newest_ts is None else max(0.0, now - known.newest_ts / 1000)
    return known.highest_seq + _SEQS_PER_SECOND * (1 + math.ceil(since))


async def _make(connection: Bus, config: StreamConfig) -> None:
    manager = connection.jetstream
    try:
        await manager.update_stream(config)
    except NotFoundError:
        await manager.add_stream(config)
        log.info("stream made", stream=config.name)


async def run(settings: SetupSettings, *, persist_again: bool = False) -> None:
    """Make or update everything; raises `SetupError`, after SETUP_SECONDS at the latest, and `SettingsError`.

    `persist_again`: whatever the stream holds is persisted once more, which changes nothing where it is there.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as exits:
        mongo = exits.enter_context(database.connected(settings.database))
        setup = Setup(settings, MessageStore(mongo), NotificationStore(mongo), persist_again=persist_again)
        running = asyncio.create_task(setup.run())
        exits.push_async_callback(tasks.ended, running, within=0)
        stopped = asyncio.create_task(stopping.wait())
        exits.callback(stopped.cancel)
        await asyncio.wait({running, stopped}, timeout=settings.setup_seconds, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
            log.info("done")
        else:
            lacking = "; ".join(f"{name} ({why})" for name, why in setup.lacking.items())
            when = "stopped, not done" if stopping.is_set() else f"not done within {settings.setup_seconds:g} s"
            raise SetupError(f"{when}: {lacking}")
