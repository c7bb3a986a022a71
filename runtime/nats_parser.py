"""NATS's protocol, from the bytes of one read to the callbacks: no regex, no copy and no await per message.

nats-py's parser tries seven regexes on a buffer whose head it deletes for every message. This one reads MSG and HMSG
(https://docs.nats.io/reference/reference-protocols/nats-protocol) and leaves everything else to nats-py's.
"""

from typing import TYPE_CHECKING

from nats.errors import ProtocolError
from nats.protocol.parser import Parser as LibraryParser

from runtime.listening import Delivery, Listening

if TYPE_CHECKING:
    from runtime.nats_client import NatsClient


class Parser(LibraryParser):
    """Hands messages to `Listening` straight away, and to nats-py's own subscriptions as nats-py would."""

    nc: "NatsClient"
    _resets = 0

    def reset(self) -> None:
        """Forget what was read: another connection begins."""
        super().reset()
        self._resets += 1
        self._rest = bytearray()
        self._needed = 0

    async def parse(self, data: bytes = b"") -> None:
        """Deliver all that is complete in what was read so far. Raises `ProtocolError`.

        An exception of a callback is reported to the client, and the next message comes.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        self._needed = 0
        subscriptions: dict[int, object] = self.nc._subs  # type: ignore[assignment] # theirs, and ours
        at, resets = 0, self._resets
        while (line_end := data.find(b"\r\n", at)) >= 0:
            if data[at] not in b"MH":  # MSG and HMSG: nothing else that a server says begins so
                await self._leave_to_the_library(data[at : line_end + 2])
                at = line_end + 2
            else:
                try:
                    subject, sid, reply, body, payload, end = _control_line(data, at, line_end)
                except ValueError:
                    raise ProtocolError from None
                if end + 2 > len(data):
                    self._needed = end + 2 - at
                    break
                at = end + 2
                subscription = subscriptions.get(sid)
                if type(subscription) is Listening:
                    try:
                        subscription.deliver(Delivery(subject, data[payload:end], data[body:payload]))
                    except Exception as error:  # noqa: BLE001 - whatever it is, the next message must come
                        self.nc.failed(error)
                    continue
                await self.nc._process_msg(sid, subject, b"".join(reply), data[payload:end], data[body:payload])
            if resets != self._resets:
                return  # the connection was given up meanwhile, and what it said last with it
        self._rest += data[at:]

    async def _leave_to_the_library(self, line: bytes) -> None:
        await super().parse(line)
        if self.buf:
            raise ProtocolError


def _control_line(data: bytes, at: int, line_end: int) -> tuple[bytes, int, list[bytes], int, int, int]:
    """Subject, sid, reply or none, and where body, payload and message begin and end."""
    words = data[at:line_end].split()
    body = line_end + 2
    if words[0] == b"MSG":
        _, subject, sid, *reply, size = words
        return subject, int(sid), reply, body, body, body + int(size)
    if words[0] == b"HMSG":
        _, subject, sid, *reply, headers_size, size = words
        return subject, int(sid), reply, body, body + int(headers_size), body + int(size)
    raise ValueError
