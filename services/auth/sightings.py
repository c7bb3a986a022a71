"""Users of other issuers, whom we see only when their tokens are verified: written into the directory, by and by."""

import asyncio
import time
from collections import OrderedDict
from typing import Final

import structlog

from services.auth.directory import Directory
from wire.errors import ParleyError
from wire.messages import User

_AGAIN_SECONDS: Final = 3600.0
_REMEMBERED_MOST: Final = 100_000
_WAITING_MOST: Final = 1000
_PAUSE_SECONDS: Final = 1.0
"""Before the next is tried when one could not be written."""
_OURS: Final = "u-"
"""What the ids of users begin with whose sessions we open: the directory has them since then."""

log = structlog.get_logger()


class Sightings:
    """Each user is written at most once an hour, one after the other; verifying tokens waits for none of it.

    What cannot be written, for want of a database or of room to wait, is as if it had not been seen.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._waiting: OrderedDict[str, User] = OrderedDict()
        self._written: OrderedDict[str, float] = OrderedDict()
        self._has_some = asyncio.Event()

    def note(self, user: User) -> None:
        """`user` was seen. Never waits, never fails."""
        if user.id.startswith(_OURS) or len(self._waiting) >= _WAITING_MOST:
            return
        if time.monotonic() - self._written.get(user.id, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
            self._waiting[user.id] = user
            self._has_some.set()

    async def write(self) -> None:
        """Write what was noted, for ever."""
        while True:
            await self._has_some.wait()
            id, user = self._waiting.popitem(last=False)
            if not self._waiting:
                self._has_some.clear()
            self._remember(id)
            try:
                await self._directory.saw(user)
            except ParleyError as error:
                del self._written[id]
                log.debug("a user could not be written into the directory", code=error.code)
                await asyncio.sleep(_PAUSE_SECONDS)

    def _remember(self, id: str) -> None:
        self._written[id] = time.monotonic()
        self._written.move_to_end(id)
        if len(self._written) > _REMEMBERED_MOST:
            self._written.popitem(last=False)
