"""The official clients as members' connections."""

import asyncio
from typing import Any, Final

from socketio.exceptions import SocketIOError
from socketio.exceptions import TimeoutError as SocketTimeoutError

from tests.faults.suite.line import Listener, LostError
from tests.support.clients.javascript import JavaScriptClient
from tests.support.clients.official import NotConnectedError, OfficialClient, Told
from tests.support.clients.python import AsyncPythonClient

_REFUSED_SECONDS: Final = 0.3


class _OfficialLine(OfficialClient):
    """Tells `listener`, and keeps nothing."""

    def __init__(self, url: str, auth: dict[str, Any], listener: Listener) -> None:
        super().__init__(url, auth=auth, transports=["websocket"])
        self._listener = listener

    def hear(self, told: Told) -> None:
        """See `OfficialClient`."""
        match told["is"]:
            case "connect":
                self._listener.connected(recovered=told.get("recovered", False))
            case "disconnect":
                self._listener.disconnected()
            case "event":
                self._listener.heard(told["name"], told["args"][0] if told["args"] else None)


class JsLine(_OfficialLine, JavaScriptClient):
    """The JavaScript client. When the server refuses it, coming back is left to its application."""

    keeps_questions = False
    """On the next connection a stale join would meet the one that the member sends there."""
    _coming_back: asyncio.Task[None] | None = None

    def hear(self, told: Told) -> None:
        """See `OfficialClient`."""
        super().hear(told)
        if told["is"] == "connect_error" and not told["active"]:
            self._coming_back = asyncio.create_task(self._come_back())

    async def stop(self) -> None:
        """See `line.Line`."""
        if self._coming_back is not None:
            self._coming_back.cancel()
        await super().stop()

    async def _come_back(self) -> None:
        await asyncio.sleep(_REFUSED_SECONDS)
        await self.reopen()

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> Any:
        """See `line.Line`."""
        try:
            (ack,) = await super().ask(name, *args, namespace=namespace, seconds=seconds)
        except NotConnectedError:
            raise LostError from None
        return ack


class PythonLine(_OfficialLine, AsyncPythonClient):
    """The Python client, with asyncio."""

    async def ask(self, name: str, *args: Any, namespace: str = "/", seconds: float = 15) -> Any:
        """See `line.Line`."""
        try:
            (ack,) = await super().ask(name, *args, namespace=namespace, seconds=seconds)
        except SocketTimeoutError:
            raise TimeoutError from None
        except SocketIOError:
            raise LostError from None
        return ack
