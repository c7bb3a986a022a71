"""nats-py's client, made cheap where every message passes and mended where it dies in silence.

Connecting, TLS, authentication, INFO, pings and reconnecting stay nats-py's, as do its own subscriptions and
requests. What is overridden or read here is pinned by `tests/contract/test_nats_seams.py`.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.errors import Error as NatsError

from runtime.listening import Listening, OnMessage
from runtime.nats_parser import Parser
from runtime.nats_reading import Reading
from wire.headers import TRACEPARENT, only_traceparent

_CONGESTED_BYTES: Final = 64 * 1024
"""As much as asyncio lets wait in a transport before it asks for patience."""


class NatsClient(Client):
    """A client that tells `failed` of every exception that would have been lost; `failed` never raises.

    `public_key` says which of NATS's users it is; `signature_cb` has to prove it.
    """

    def __init__(self, failed: Callable[[Exception], None], public_key: str | None = None) -> None:
        super().__init__()
        self.failed: Final = failed
        # `connect` takes it out of a seed only, with a package which brings another cryptography along.
        self._public_nkey = public_key
        self._loop = asyncio.get_running_loop()
        self._ps: Parser = Parser(self)
        self._writing_soon = False

    @property
    def subscriptions(self) -> int:
        """How many there are, nats-py's own and ours."""
        return len(self._subs)

    def send(self, command: bytes) -> None:
        """Let `command` leave at the end of this turn of the loop, after all that was sent before it, in one write.

        While the server does not read, commands wait in `pending_data_size`. What waits when the connection breaks
        leaves after the next one has subscribed everything again.
        """
        self._pending.append(command)
        self._pending_data_size += len(command)
        if not self._writing_soon:
            self._writing_soon = True
            self._loop.call_soon(self._write)

    def listen(self, subject: str, on_message: OnMessage) -> Listening:
        """Subscribe; what is sent or requested after this call is carried out after the subscription."""
        self._sid += 1
        sid = self._sid
        listening = self._subs[sid] = Listening(self, sid, subject, on_message)  # type: ignore[assignment]
        self.send(f"SUB {subject}  {sid}\r\n".encode())
        return listening

    def forget(self, sid: int) -> None:
        """Unsubscribe, also in an outage: the SUB may be among what waits."""
        if self._subs.pop(sid, None) is not None:
            self.send(f"UNSUB {sid}\r\n".encode())

    def _write(self) -> None:
        self._writing_soon = False
        if not self.is_connected or not self._pending:
            return
        transport = self._transport
        if (
            isinstance(transport, TcpTransport)
            and transport._io_writer is not None
            and transport._io_writer.transport.get_write_buffer_size() < _CONGESTED_BYTES
        ):
            try:
                transport.write(b"".join(self._pending))  # type: ignore[no-untyped-call]
            except RuntimeError:
                return  # it is closed: the read loop will notice, too, and then connect again
            self._pending = []
            self._pending_data_size = 0
        elif self._flush_queue is not None and self._flush_queue.empty():
            # nats-py's flusher waits until the transport takes more. (A WebSocket has to be waited for always.)
            self._flush_queue.put_nowait(self._loop.create_future())

    async def drain(self) -> None:
        """See nats-py. Ours have no queue that could be drained, and ten thousand round trips help nobody."""
        for each in tuple(self._subs.values()):
            if isinstance(each, Listening):
                each.close()
        await super().drain()

    async def _process_connect_init(self) -> None:
        # The read loop of the connection before may have read on for a moment after its parser was reset.
        self._ps.reset()
        await super()._process_connect_init()

    def _connect_command(self) -> bytes:
        # The library would go on in the clear with a server, or with somebody in between, that does without TLS.
        server, is_offered = self._current_server, self._server_info.get("tls_required", False)
        is_wanted = "tls" in self.options or (server is not None and server.uri.scheme == "tls")
        if is_wanted and not is_offered and isinstance(self._transport, TcpTransport):
            raise NatsError("the server does not insist on TLS")
        return super()._connect_command()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        try:
            await super()._process_msg(sid, subject, reply, data, headers)
        except Exception as error:  # noqa: BLE001 - such as a subject that is not UTF-8
            self.failed(error)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        # Every question to a service has this one, and the library looks at each of its characters.
        if headers and (traceparent := only_traceparent(headers)):
            return {TRACEPARENT: traceparent}
        return await super()._process_headers(headers)

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():  # the flush that it answers has given up
            del self._pongs[0]
            self._pings_outstanding = 0
        else:
            await super()._process_pong()

    async def _read_loop(self) -> None:
        transport = self._transport
        # A WebSocket's messages have to be awaited.
        if isinstance(transport, TcpTransport) and transport._io_writer is not None:
            below, reader = transport._io_writer.transport, transport._io_reader
            buffered = len(reader._buffer)  # type: ignore[union-attr]
            below.set_protocol(Reading(self._ps, below.get_protocol(), buffered=buffered))  # type: ignore[arg-type]
        await super()._read_loop()
        # It ends when it is told to; and for any exception, after which nothing would ever be read again.
        if self.is_connected and asyncio.current_task() is self._reading_task:
            await self._process_op_err(NatsError("the read loop ended"))
