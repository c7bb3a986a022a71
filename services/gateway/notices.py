"""What backends told users who were not there to hear it: asked of history once they come, for many in one question.

A storm of clients that come back is no storm of questions: those who come within a moment are asked about together,
and few questions are under way at once; who comes meanwhile waits, and goes into the next.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from itertools import islice
from typing import Final
from weakref import WeakSet

import structlog

from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.edge.reading import caught_up, has_much_to_read
from services.gateway.fanout import FanOut
from services.gateway.pushes import NotificationShown, event
from services.gateway.relay import Known
from services.gateway.roster import Roster
from wire.errors import ParleyError
from wire.notifications import USERS_AT_ONCE, GetNotifications, Kept, Notification

_TOGETHER_SECONDS: Final = 0.05
"""Long enough, too, for all nats-servers to know by then that this gateway listens for those who came."""
_QUESTIONS_AT_ONCE: Final = 4
_SHORTEST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 5.0
_PORTION_BYTES: Final = 64 * 1024

log = structlog.get_logger()


class Notices:
    """Tells connections what is kept for their users, oldest first, again and again until it is dismissed.

    What comes live meanwhile may be told twice, and nothing is lost: whoever is told is listened for already
    (`Devices`), and whatever was not kept yet when history was asked is published after that. While history does not
    answer, it is asked again for as long as somebody is there to be told.
    """

    def __init__(
        self,
        ask: Callable[[GetNotifications], Awaitable[Kept]],
        control: Known,
        roster: Roster,
        fan_out: FanOut,
    ) -> None:
        self._ask = ask
        self._control = control
        self._roster = roster
        self._fan_out = fan_out
        self._waiting: dict[str, set[Connection]] = {}
        self._inquiries: WeakSet[_Inquiry] = WeakSet()
        """Those that are under way, and those whose answers are being told."""
        self._asking: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()
        self._moment: asyncio.TimerHandle | None = None
        self._pause = _SHORTEST_PAUSE

    def begin(self, connection: Connection) -> None:
        """`connection` is in, and its user listened for: tell it what is kept, soon."""
        self._wait(connection.bearer.user.id, [connection])

    def end(self, connection: Connection) -> None:
        """`connection` is gone."""
        user = connection.bearer.user.id
        waiting = self._waiting.get(user)
        if waiting is not None:
            waiting.discard(connection)
            if not waiting:
                del self._waiting[user]

    def make_good(self, users: Iterable[str]) -> None:
        """What was published for `users` may not have been heard: tell all their connections what is kept."""
        for user in users:
            self._wait(user, self._roster.of(user))

    def on_dismissed(self, user: str, id: str) -> None:
        """The notification `id` has been read: an answer that is under way may still have it."""
        for each in self._inquiries:
            if user in each.connections:
                each.dismissed.add((user, id))

    def _wait(self, user: str, connections: Iterable[Connection]) -> None:
        self._waiting.setdefault(user, set()).update(connections)
        if self._moment is None:
            self._moment = asyncio.get_running_loop().call_later(_TOGETHER_SECONDS, self._ask_next)

    def _ask_next(self) -> None:
        self._moment = None
        while self._waiting and len(self._asking) < _QUESTIONS_AT_ONCE:
            users = list(islice(self._waiting, USERS_AT_ONCE))
            inquiry = _Inquiry({user: self._waiting.pop(user) for user in users})
            self._inquiries.add(inquiry)
            self._start(self._asking, self._inquire(inquiry)).add_done_callback(self._on_asked)

    def _on_asked(self, _task: "asyncio.Task[None]") -> None:
        if self._moment is None:
            self._ask_next()

    async def _inquire(self, inquiry: "_Inquiry") -> None:
        try:
            answer = await self._ask(GetNotifications(users=list(inquiry.connections)))
        except ParleyError as error:
            metrics.notification_questions[error.code,] += 1
            for user, connections in inquiry.connections.items():
                if remaining := {each for each in connections if each.may_be_told}:
                    self._waiting.setdefault(user, set()).update(remaining)
            pause, self._pause = self._pause, min(2 * self._pause, _LONGEST_PAUSE)
            # With its place: so many questions at once, and not more, are asked of a history that does not answer.
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311
            return
        metrics.notification_questions["ok",] += 1
        self._pause = _SHORTEST_PAUSE
        for each in answer.kept:
            for connection in inquiry.connections[each.user]:
                self._start(self._telling, self._tell(connection, each.notifications, inquiry))
        for user in answer.left:
            self._wait(user, [each for each in inquiry.connections[user] if each.may_be_told])

    async def _tell(self, connection: Connection, kept: list[Notification], inquiry: "_Inquiry") -> None:
        user, portion = connection.bearer.user.id, 0
        for each in kept:
            if not (self._control.is_current and connection.may_be_told):
                return  # once it is current again, all that is kept is told
            if (user, each.id) in inquiry.dismissed:
                continue
            packet = event("notification", NotificationShown.of(each))
            metrics.deliveries["notification",] += 1
            self._fan_out.send(connection, packet)
            portion += len(packet)
            if portion > _PORTION_BYTES:
                portion = 0
                self._fan_out.settle(connection)
                if has_much_to_read(connection.session):
                    await caught_up(connection.session)

    def _start(self, tasks: "set[asyncio.Task[None]]", work: "Coroutine[None, None, None]") -> "asyncio.Task[None]":
        task = asyncio.ensure_future(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(_log_failure)
        return task


class _Inquiry:
    """One question: about the users of `connections`, who are to be told."""

    def __init__(self, connections: dict[str, set[Connection]]) -> None:
        self.connections: Final = connections
        self.dismissed: Final[set[tuple[str, str]]] = set()
        """What was read on another device meanwhile: users and ids."""


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("telling what is kept failed", exc_info=error)
