"""One line in the log for the life of a connection, at its end: ids and numbers, nothing of what was said.

How many sessions there are is limited. A client that leaves and comes back within one session passes that limit, so
from the second life of a session on there are as many lines as of failed requests.
"""

import time
from typing import Final

import structlog

from runtime.failures import Allowance
from services.gateway.connection import Connection

_LIVED: Final = "parley has lived"
"""Kept with a session once a connection within it has ended, and it has not."""

log = structlog.get_logger()


class Lives:
    """Writes the lines of one gateway."""

    def __init__(self) -> None:
        self._again = Allowance(time.monotonic())

    def ended(self, connection: Connection, reason: str) -> None:
        """`connection` is over, for `reason`; it is in its rooms still."""
        session = connection.session
        left_out: int | None = 0
        if session.stored is not None and _LIVED in session.stored:
            left_out = self._again.take(time.monotonic())
        elif not session.closed:
            session.session[_LIVED] = True
        if left_out is not None:
            _write(connection, reason, {"left_out": left_out} if left_out else {})


def _write(connection: Connection, reason: str, more: dict[str, int]) -> None:
    bearer, session = connection.bearer, connection.session
    log.info(
        "connection ended",
        connection=connection.id,
        user=bearer.user.id,
        session=bearer.session,
        reason=connection.why or reason,
        seconds=round(max(0.0, time.time() - connection.since), 1),
        transport=session.transport.name,
        rooms=len(connection.rooms),
        events=connection.asked,
        refused=connection.refused,
        packets=session.sent,
        trace_id=f"{connection.trace:032x}",
        **more,
    )
