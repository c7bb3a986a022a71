"""One connection of the official Socket.IO client, with true timings.

`locust.contrib.socketio` wraps the same client and is not used: it fires 0 ms for each `emit` and each event that
comes, and of a refused connection "One or more namespaces failed to connect", whatever the server said.

python-socketio hands each packet to a thread of its own; under gevent these run one after the other, in the order of
arrival, as long as no handler waits. None here does.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import gevent
import socketio
from gevent.event import AsyncResult
from socketio.exceptions import SocketIOError

from loadtests.failures import Failure, code_of
from loadtests.kinds import CONNECT, CONNECT_UPGRADED, DISCONNECTED, TIMEOUT
from loadtests.sockets import ResettableWebSocket

Report = Callable[[str, float | None, str | None], None]
"""Gets the kind of request, how many seconds it took (None when it failed), and the code of its failure."""

ANSWER_SECONDS: Final = 15.0
NOT_UPGRADED: Final = "not upgraded"
"""The server let a client in by polling, and no WebSocket came of it."""


class ChatClient:
    """Connected, and greeted, once made. It does not reconnect by itself, so that each connect can be measured.

    `session` is what the server greeted it with.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        report: Report,
        on: Mapping[str, Callable[[Any], None]],
        on_end: Callable[[], None],
        upgrades: bool = False,
    ) -> None:
        """Raises `Failure`, and reports either way: the time from the first byte to the event `session`.

        `on`: what to do with the server's events. Neither it nor `on_end`, which is called once, when a connection
        that was made has ended, may wait. `upgrades`: begin with polling, as browsers do.
        """
        self._report = report
        self._on_end = on_end
        self._refusal: object = None
        self._websocket: ResettableWebSocket | None = None
        self._awaited: set[AsyncResult] = set()
        self._greeted = AsyncResult()
        self.is_open = True
        self._is_made = False
        self.is_told = False
        """Whether this side ended it."""
        self._socket = socketio.Client(
            reconnection=False,
            handle_sigint=False,
            request_timeout=ANSWER_SECONDS,
            websocket_extra_options={"class_": self._make_websocket},
        )
        for event, handler in on.items():
            self._socket.on(event, handler)
        self._socket.on("session", self._greeted.set)
        self._socket.on("connect_error", self._on_refused)
        # Socket.IO's own event of this name does not come when a connection ends before it was let in.
        self._disconnected = self._socket.eio.handlers["disconnect"]
        self._socket.eio.on("disconnect", self._on_disconnect)
        kind = CONNECT_UPGRADED if upgrades else CONNECT
        began = time.monotonic()
        try:
            self.session = self._connect(url, token, ["polling", "websocket"] if upgrades else ["websocket"])
        except Failure as failure:
            self._abandon()
            raise self._failed(kind, failure.code) from None
        except BaseException:
            self._abandon()  # its user was stopped meanwhile
            raise
        self._is_made = True
        report(kind, time.monotonic() - began, None)

    def _connect(self, url: str, token: str, transports: list[str]) -> dict[str, Any]:
        self._awaited.add(self._greeted)
        try:
            self._socket.connect(url, auth={"token": token}, transports=transports, wait=False)
            if self._socket.eio.current_transport == "polling":
                raise Failure(code_of(self._buried) if self._buried is not None else NOT_UPGRADED)
            greeting: dict[str, Any] = self._greeted.get(timeout=ANSWER_SECONDS)
            if not self.is_open:
                raise Failure(DISCONNECTED)
        except gevent.Timeout:
            raise Failure(TIMEOUT) from None
        except SocketIOError as error:
            raise Failure(code_of(self._buried, self._refusal, error)) from None
        finally:
            self._awaited.discard(self._greeted)
        return greeting

    @property
    def _buried(self) -> Exception | None:
        return self._websocket.failure if self._websocket is not None else None

    def ask(self, event: str, payload: dict[str, Any], kind: str, began: float | None = None) -> dict[str, Any]:
        """Send an event and return its good acknowledgement; raises `Failure`, and reports either way.

        Timed when the answer arrives, from now, or from `began` by the monotonic clock: when it was first tried.
        """
        answered = AsyncResult()
        started = time.monotonic() if began is None else began
        self._awaited.add(answered)
        try:
            self._socket.emit(event, payload, callback=lambda reply: answered.set((time.monotonic(), reply)))
            ended, reply = answered.get(timeout=ANSWER_SECONDS)
        except gevent.Timeout:
            raise self._failed(kind, TIMEOUT) from None
        except (SocketIOError, Failure):
            raise self._failed(kind, DISCONNECTED) from None
        finally:
            self._awaited.discard(answered)
        if not reply["ok"]:
            raise self._failed(kind, reply["error"]["code"])
        self._report(kind, ended - started, None)
        return dict(reply)

    def tell(self, event: str, payload: dict[str, Any], kind: str) -> bool:
        """Send an event and wait for nothing; only a refusal is reported. False: there is no connection."""
        try:
            self._socket.emit(event, payload, callback=lambda reply: self._told(kind, reply))
        except SocketIOError:
            return False
        return True

    def _told(self, kind: str, reply: dict[str, Any]) -> None:
        if not reply["ok"]:
            self._failed(kind, reply["error"]["code"])

    def close(self) -> None:
        """Hang up, as a client does that ends well; a closed one is no error. May take seconds."""
        self.is_told = True
        with suppress(SocketIOError):
            self._socket.disconnect()

    def vanish(self) -> None:
        """Be gone at once, without a word. Does not wait."""
        self.is_told = True
        self._abandon()
        self._end()

    def _abandon(self) -> None:
        if self._websocket is not None:
            self._websocket.reset()
        if self._socket.eio.current_transport == "polling":
            with suppress(SocketIOError):
                self._socket.eio.disconnect(abort=True)

    def _make_websocket(self, **options: Any) -> ResettableWebSocket:
        self._websocket = ResettableWebSocket(**options)
        return self._websocket

    def _on_refused(self, refusal: object = None) -> None:
        self._refusal = refusal
        self._greeted.set_exception(Failure(code_of(self._buried, refusal)))

    def _on_disconnect(self, reason: object = None) -> None:
        self._disconnected(reason)
        self._end()

    def _end(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        for each in tuple(self._awaited):
            each.set_exception(Failure(DISCONNECTED))
        if self._is_made:
            self._on_end()

    def _failed(self, what: str, code: str) -> Failure:
        self._report(what, None, code)
        return Failure(code)
