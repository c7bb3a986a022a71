"""The names of what is measured: in the timeline, in an SLO file, in a report."""

from typing import Final

CONNECT: Final = "connect"
"""From the first byte to the greeting `session`; WebSocket alone."""
CONNECT_UPGRADED: Final = "connect, polling and upgrade"
"""As a browser does; until the upgrade is done."""
JOIN: Final = "join"
RESUME: Final = "resume"
"""A join with `after`, until it is acknowledged."""
RECONNECT: Final = "reconnect"
"""From the loss of a connection until its user is in all rooms again; with the client's pauses between."""
MESSAGE: Final = "message"
"""Until its acknowledgement: it is stored then."""
DELIVERY: Final = "message, end to end"
"""From the sender's call to a receiver's handler; both on one host, by its monotonic clock. One for each receiver."""
EVENT: Final = "event, end to end"
"""The same for an `event`, which is never stored, and may give way to a newer one."""
TYPING: Final = "typing"
PAGE: Final = "history page"

KINDS: Final = (CONNECT, CONNECT_UPGRADED, JOIN, RESUME, RECONNECT, MESSAGE, DELIVERY, EVENT, TYPING, PAGE)

ARRIVALS: Final = (CONNECT, CONNECT_UPGRADED, JOIN)
"""What users do who arrive: objectives of these count while they do, too. See `counted`."""

DROPS: Final = "drops"
"""Connections that ended without being told to by their user."""
UNTIMED: Final = "deliveries from another host"
"""Messages whose sender is on another host: they count in the account, and in no percentile."""
EVENTS_SENT: Final = "events sent"
DELIVERIES: Final = "deliveries"
"""All messages received: those that were missed and came when a room was joined again are in no percentile."""
TRUNCATED: Final = "truncated resumes"
"""Resumes that brought the newest of what was missed: the oldest is in history, and expected of nobody."""
COUNTS: Final = (DROPS, UNTIMED, EVENTS_SENT, DELIVERIES, TRUNCATED)

CONNECTED: Final = "connected"
USERS: Final = "users"
LEVELS: Final = (CONNECTED, USERS)

# Codes of failures that are the load generator's own, beside the server's (`wire.errors`).
TIMEOUT: Final = "timeout"
DISCONNECTED: Final = "disconnected"
NOT_BACK: Final = "not back"
"""Of a reconnect: its user was still away when the run ended."""
UNREACHABLE: Final = "unreachable"
NO_FILES: Final = "no files"
"""EMFILE, ENFILE: this makes a run invalid."""
NO_PORTS: Final = "no ports"
"""EADDRNOTAVAIL: so does this."""
EXHAUSTED: Final = (NO_FILES, NO_PORTS)
