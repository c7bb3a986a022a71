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
    connections = 0
    """How many have begun: what comes from another than the newest is not to be fed."""

    def reset(self) -> None:
        """Forget what was read: another connection begins."""
        super().reset()
        self.connections += 1
        self.unparsed = 0
        """Bytes that were left to `parse` and that it has not been through yet: nothing may be fed before them."""
        self._rest = bytearray()
        self._needed = 0

    def feed(self, data: bytes) -> bytes:
        """Deliver what was read to `Listening`, up to the first thing that has to be awaited.

        Returns that and all behind it, for `parse`; b"" if there is none. Never raises: what is no protocol is left
        to `parse`, and an exception of a callback is reported to the client, and the next message comes.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return b""
            data = bytes(self._rest)
            self._rest.clear()
        self._needed = 0
        subscriptions: dict[int, object] = self.nc._subs  # type: ignore[assignment] # theirs, and ours
        at = 0
        while (line_end := data.find(b"\r\n", at)) >= 0:
            if data[at] not in b"MH":  # MSG and HMSG: nothing else that a server says begins so
                return data[at:]
            try:
                subject, sid, _, body, payload, end = _control_line(data, at, line_end)
            except ValueError:
                return data[at:]
            if end + 2 > len(data):
                self._needed = end + 2 - at
                break
            subscription = subscriptions.get(sid)
            if type(subscription) is not Listening:
                return data[at:]
            try:
                subscription.deliver(Delivery(subject, data[payload:end], data[body:payload]))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next message must come
                self.nc.failed(error)
            at = end + 2
        self._rest += data[at:]
        return b""

    async def parse(self, data: bytes = b"") -> None:
        """Deal with all that is complete in what was read so far. Raises `ProtocolError`."""
        size, connection = len(data), self.connections
        rest = self.feed(data)
        while rest:
            rest = await self._leave_to_the_library(rest)
            if connection != self.connections:
                return  # it was given up meanwhile, and what it said last with it
            rest = self.feed(rest)
        self.unparsed -= size

    async def _leave_to_the_library(self, data: bytes) -> bytes:
        """Deal with the first command in `data`; returns what is behind it."""
        line_end = data.index(b"\r\n")
        if data[0] not in b"MH":
            await super().parse(data[: line_end + 2])
            if self.buf:
                raise ProtocolError
            return data[line_end + 2 :]
        try:
            subject, sid, reply, body, payload, end = _control_line(data, 0, line_end)
        except ValueError:
            raise ProtocolError from None
        await self.nc._process_msg(sid, subject, b"".join(reply), data[payload:end], data[body:payload])
        return data[end + 2 :]


def _control_line(data: bytes, at: int, line_end: int) -> tuple[bytes, int, list[bytes], int, int, int]:
    """Subject, sid, reply or none, and where body, payload and message begin and end."""
    words = data[at:line_end].split()
    body = payload = line_end + 2
    if words[0] == b"MSG":
        _, subject, sid, *reply, size = words
    elif words[0] == b"HMSG":
        _, subject, sid, *reply, headers_size, size = words
        payload += int(headers_size)
    else:
        raise ValueError
    end = body + int(size)
    if not body <= payload <= end:
        raise ValueError
    return subject, int(sid), reply, body, payload, end
