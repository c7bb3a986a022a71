"""One connection of the official Socket.IO client, with true timings.

python-socketio hands each packet to a thread of its own; under gevent these run one after the other, in the order of
arrival, as long as no handler waits. None here does.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import gevent
import socketio
from gevent.event import AsyncResult
from socketio.exceptions import SocketIOError

Report = Callable[[str, float | None, str | None], None]
"""Gets what was done, how many seconds it took (None when it failed), and the code of its failure."""

ANSWER_SECONDS: Final = 15.0

TIMEOUT: Final = "timeout"
DISCONNECTED: Final = "disconnected"
UNREACHABLE: Final = "unreachable"


class Failure(Exception):  # noqa: N818 - most are the server's "no", not errors
    """`code`: the server's, or one of `TIMEOUT`, `DISCONNECTED`, `UNREACHABLE`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ChatClient:
    """Connected once made. It does not reconnect by itself, so that each connect can be measured."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        report: Report,
        on: dict[str, Callable[[Any], None]],
        on_end: Callable[[], None],
    ) -> None:
        """Raises `Failure`. `on`: what to do with the server's events; none of it, nor `on_end`, may wait."""
        self._report = report
        self._on_end = on_end
        self._refusal: object = None
        self._awaited: set[AsyncResult] = set()
        self._socket = socketio.Client(reconnection=False, handle_sigint=False)
        for event, handler in on.items():
            self._socket.on(event, handler)
        self._socket.on("connect_error", self._on_refused)
        self._socket.on("disconnect", self._on_disconnect)
        self.is_open = True
        started = time.monotonic()
        try:
            self._socket.connect(url, auth={"token": token}, transports=["websocket"], wait_timeout=ANSWER_SECONDS)
        except SocketIOError:
            self.is_open = False
            raise self._failed("connect", _code(self._refusal, UNREACHABLE)) from None
        report("connect", time.monotonic() - started, None)

    def ask(self, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send an event and return its good acknowledgement; raises `Failure`. Timed when the answer arrives."""
        answered = AsyncResult()
        started = time.monotonic()
        self._awaited.add(answered)
        try:
            self._socket.emit(event, payload, callback=lambda reply: answered.set((time.monotonic(), reply)))
            ended, reply = answered.get(timeout=ANSWER_SECONDS)
        except gevent.Timeout:
            raise self._failed(event, TIMEOUT) from None
        except (SocketIOError, Failure):
            raise self._failed(event, DISCONNECTED) from None
        finally:
            self._awaited.discard(answered)
        if not reply["ok"]:
            raise self._failed(event, reply["error"]["code"])
        self._report(event, ended - started, None)
        return dict(reply)

    def close(self) -> None:
        """Hang up; a closed one is no error."""
        with suppress(SocketIOError):
            self._socket.disconnect()

    def _on_refused(self, refusal: object = None) -> None:
        self._refusal = refusal

    def _on_disconnect(self, _reason: object = None) -> None:
        self.is_open = False
        for each in tuple(self._awaited):
            each.set_exception(Failure(DISCONNECTED))
        self._on_end()

    def _failed(self, what: str, code: str) -> Failure:
        self._report(what, None, code)
        return Failure(code)


def _code(refusal: object, otherwise: str) -> str:
    match refusal:
        case {"data": {"code": str(code)}} | {"code": str(code)}:
            return code
        case _:
            return otherwise
