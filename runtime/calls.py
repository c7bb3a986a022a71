"""Requests and their replies: one inbox, and per call nothing but an entry in a dict."""

import asyncio
from collections.abc import Callable
from typing import Final

from runtime import metrics
from runtime.listening import Delivery
from runtime.nats_client import NatsClient
from wire import subjects
from wire.errors import ErrorCode, ParleyError

OnReply = Callable[[Delivery | ParleyError], None]

_NO_RESPONDERS: Final = b"NATS/1.0 503"


class _Waiting:
    """The calls of one timeout: as that is the same for all of them, they fall due in the order they were made."""

    __slots__ = ("calls", "sweeping")

    def __init__(self) -> None:
        self.calls: dict[bytes, tuple[float, OnReply]] = {}
        self.sweeping: asyncio.TimerHandle | None = None


class Calls:
    """Matches replies to the calls of one connection. Timeouts are few and constant: each has a timer."""

    def __init__(self, client: NatsClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._inbox, _, self._own = client.new_inbox().rpartition(".")
        self._count = 0
        self._waiting: dict[float, _Waiting] = {}
        client.listen(subjects.reply(self._inbox, "*", f"{self._own}.*"), self._on_message)

    def next_reply_subject(self, asked: str) -> str:
        """A subject that nobody else has, for the reply of whoever answers `asked`; "" for ourselves."""
        self._count += 1
        return subjects.reply(self._inbox, asked, f"{self._own}.{self._count}")

    def expect(self, reply_subject: str, on_reply: OnReply, timeout: float) -> None:
        """Tell `on_reply` once: of the reply, or after `timeout` seconds that there was none.

        It may raise, which is reported and harms nobody else.
        """
        waiting = self._waiting.get(timeout)
        if waiting is None:
            waiting = self._waiting[timeout] = _Waiting()
        due = self._loop.time() + timeout
        waiting.calls[reply_subject.encode()] = (due, on_reply)
        if waiting.sweeping is None:
            waiting.sweeping = self._loop.call_at(due, self._sweep, timeout)

    def fail_all(self) -> None:
        """The connection will not come back."""
        for waiting in self._waiting.values():
            if waiting.sweeping is not None:
                waiting.sweeping.cancel()
            for _, on_reply in waiting.calls.values():
                self._fail(on_reply, "the connection to the message bus was closed")
        self._waiting.clear()

    def _on_message(self, delivery: Delivery) -> None:
        for waiting in self._waiting.values():
            if (call := waiting.calls.pop(delivery.subject, None)) is not None:
                if delivery.headers.startswith(_NO_RESPONDERS) and not delivery.data:
                    self._fail(call[1], "nobody answers")
                else:
                    call[1](delivery)
                return
        metrics.nats_late_replies.inc()

    def _sweep(self, timeout: float) -> None:
        waiting = self._waiting[timeout]
        now = self._loop.time()
        while waiting.calls:
            reply_subject, (due, on_reply) = next(iter(waiting.calls.items()))
            if due > now:
                waiting.sweeping = self._loop.call_at(due, self._sweep, timeout)
                return
            del waiting.calls[reply_subject]
            self._fail(on_reply, "no answer in time")
        del self._waiting[timeout]

    def _fail(self, on_reply: OnReply, why: str) -> None:
        try:
            on_reply(ParleyError(ErrorCode.UNAVAILABLE, why, retry_after=1))
        except Exception as error:  # noqa: BLE001 - the others have to be told, too
            self._client.failed(error)
