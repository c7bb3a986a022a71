"""One line in the log for the life of a connection, at its end: ids and numbers, nothing of what was said."""

import time

import structlog

from services.gateway.connection import Connection

log = structlog.get_logger()


def ended(connection: Connection, reason: str) -> None:
    """`connection` is over, for `reason`; it is in its rooms still."""
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
    )
