"""NATS's protocol, from the bytes of one read to the callbacks: no regex, no copy and no await per message.

nats-py's parser tries seven regexes on a buffer whose head it deletes for every message. This one reads MSG and HMSG
(https://docs.nats.io/reference/reference-protocols/nats-protocol) and leaves everything else to nats-py's.
"""

from typing import TYPE_CHECKING, Final

from nats.errors import ProtocolError
from nats.protocol.parser import Parser as LibraryParser

from runtime.listening import Delivery, Listening

if TYPE_CHECKING:
    from runtime.nats_client import NatsClient

_MSG: Final = ord("M")
_HMSG: Final = ord("H")


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
            if data[at] not in {_MSG, _HMSG}:
                await self._leave_to_the_library(data[at : line_end + 2])
                at = line_end + 2
            else:
                try:
                    words, sid, body, payload, end = _control_line(data, at, line_end)
                except (IndexError, ValueError):
                    raise ProtocolError from None
                if end + 2 > len(data):
                    self._needed = end + 2 - at
                    break
                at = end + 2
                subscription = subscriptions.get(sid)
                if type(subscription) is Listening:
                    try:
                        subscription.deliver(Delivery(words[1], data[payload:end], data[body:payload]))
                    except Exception as error:  # noqa: BLE001 - whatever it is, the next message must come
                        self.nc.failed(error)
                    continue
                reply = words[3] if len(words) == (6 if payload > body else 5) else b""
                await self.nc._process_msg(sid, words[1], reply, data[payload:end], data[body:payload])
            if resets != self._resets:
                return  # the connection was given up meanwhile, and what it said last with it
        self._rest += data[at:]

    async def _leave_to_the_library(self, line: bytes) -> None:
        await super().parse(line)
        if self.buf:
            raise ProtocolError


def _control_line(data: bytes, at: int, end: int) -> tuple[list[bytes], int, int, int, int]:
    words = data[at:end].split()
    body = end + 2
    if data[at] == _MSG:
        return words, int(words[2]), body, body, body + int(words[-1])
    return words, int(words[2]), body, body + int(words[-2]), body + int(words[-1])
