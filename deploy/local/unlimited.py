"""Settings that lift all limits of the gateways: for load, for measurements, and for tests of other things."""

from collections.abc import Mapping
from typing import Final

UNLIMITED: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "CONNECTIONS_MOST",
        "CONNECTIONS_PER_ADDRESS_MOST",
        "CONNECTIONS_PER_USER_MOST",
        "HTTP_CONNECTIONS_MOST",
        "REQUESTS_PER_SECOND",
        "HANDSHAKES_PER_SECOND",
        "ROOMS_PER_SOCKET_MOST",
        "FRAMES_PER_SECOND",
        "MESSAGES_PER_SECOND",
        "EVENTS_PER_SECOND",
        "TYPINGS_PER_SECOND",
        "JOINS_PER_SECOND",
        "PRESENCES_PER_SECOND",
        "PAGES_PER_SECOND",
        "READS_PER_SECOND",
        "REFRESHES_PER_SECOND",
        "DISMISSALS_PER_SECOND",
        "MISTAKES_PER_SECOND",
    ),
    "0",
)
