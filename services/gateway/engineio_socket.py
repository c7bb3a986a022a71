"""python-engineio's socket, with three of its habits mended.

It makes its sockets from a class that it names itself; `socketio_server.Server` gives each this class as soon as it
meets it.
"""

import asyncio
from typing import Any, Final

from engineio import async_socket, exceptions
from engineio.payload import Payload

from services.gateway import metrics

PACKETS_A_POLL: Final = 16
"""The Python client refuses a payload with more."""

_UPGRADE_SECONDS: Final = 10.0

# A client may have queued more than the default of 16 while it waited; the size of a payload is bounded anyway.
Payload.max_decode_packets = 4096


class Socket(async_socket.AsyncSocket):  # type: ignore[misc] # python-engineio is not typed
    """One Engine.IO session."""

    async def poll(self) -> list[Any]:
        """The packets that wait for the client, no more than it takes at once; empty: the connection is over.

        Raises `QueueEmpty` when there are none for as long as a heartbeat may take.
        """
        patience = self.server.ping_interval + self.server.ping_timeout
        try:
            packets = [await asyncio.wait_for(self.queue.get(), patience)]
        except (TimeoutError, asyncio.CancelledError):
            raise exceptions.QueueEmpty from None
        while packets[-1] is not None and len(packets) < PACKETS_A_POLL and not self.queue.empty():
            packets.append(self.queue.get_nowait())
        for _ in packets:
            self.queue.task_done()
        if packets[-1] is None and len(packets) > 1:
            self.queue.put_nowait(packets.pop())  # the end comes after what is before it
        return [] if packets == [None] else packets

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """As python-engineio's; packets that are none end the session instead of being answered 200."""
        try:
            await super().handle_post_request(environ)
        except (ValueError, TypeError, KeyError):
            metrics.malformed_packets.inc()
            raise exceptions.EngineIOError from None

    async def _websocket_handler(self, ws: Any) -> None:
        """As python-engineio's; packets that are none, and upgrades that never come, end at once.

        It decodes outside of any `try`: an undecodable packet would leave its session, its rooms and its writer until
        the ping timeout, and write an HTTP error into the WebSocket.
        """
        deadline = None
        if self.connected:
            deadline = asyncio.get_running_loop().call_later(_UPGRADE_SECONDS, self._give_up_upgrade, ws)
        try:
            await super()._websocket_handler(ws)
        except (ValueError, TypeError, KeyError, OSError):
            metrics.malformed_packets.inc()
            await self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)
            self.queue.put_nowait(None)
            await ws.close()
        finally:
            if deadline is not None:
                deadline.cancel()
            self.upgrading = False

    def _give_up_upgrade(self, ws: Any) -> None:
        if not self.upgraded:
            self.server.start_background_task(ws.close)
