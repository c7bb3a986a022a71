"""A key-value bucket of JetStream, in which nobody overwrites what they have not seen.

Every put names the revision that it replaces. nats-py's own `KeyValue` is not used for the reasons that `bus.py` has
a `request` of its own: it leaks what timed out, and waits while the server does not read.
"""

from typing import Final, NamedTuple

from runtime import pub_ack, stored
from runtime.bus import Bus
from runtime.pub_ack import NotStoredError
from runtime.stored import Wanted
from wire import headers

_TIMEOUT_SECONDS: Final = 5.0
_WRONG_LAST_SEQUENCE: Final = 10071


class WrongRevisionError(Exception):
    """The key has another revision than the one that was to be replaced: somebody was here, or it has expired."""


class Value(NamedTuple):
    """What is there under a key."""

    revision: int
    data: bytes | None
    """None: it was deleted."""


class KeyValue:
    """The bucket whose stream is `stream`. Its keys are subjects, and no value is empty.

    Every method raises `ParleyError` when the bucket does not answer: unavailable (what was to be put may be there),
    or rate_limited (it is not).
    """

    def __init__(self, bus: Bus, stream: str) -> None:
        self._bus = bus
        self._stream = stream

    async def get(self, key: str) -> Value | None:
        """The value of `key`, None if it never had one, or had it too long ago."""
        found = await stored.get(self._bus, self._stream, Wanted(last_by_subj=key))
        return None if found is None else Value(found.seq, found.data or None)

    async def put(self, key: str, data: bytes, *, after: int) -> int:
        """Let `data` replace revision `after` of `key` (0: there is none); its revision.

        Raises `WrongRevisionError` if it would replace another one.
        """
        return await self._put(key, data, headers.put(after))

    async def delete(self, key: str, *, after: int) -> int:
        """The same with nothing for `data`."""
        return await self._put(key, b"", headers.put(after, deleted=True))

    async def _put(self, key: str, data: bytes, block: bytes) -> int:
        reply = await self._bus.request(key, data, timeout=_TIMEOUT_SECONDS, headers=block)
        try:
            return pub_ack.read(reply.data).seq
        except NotStoredError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                raise WrongRevisionError from None
            raise
