"""What clients are allowed, as it is configured: how many of them, and how much each may ask for."""

from typing import Annotated

import msgspec
from msgspec import Meta

PerSecond = Annotated[float, Meta(ge=0, le=1e6)]
Burst = Annotated[int, Meta(ge=1, le=1_000_000)]
Most = Annotated[int, Meta(ge=0, le=10_000_000)]


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """0 is no limit, of a rate and of a number. A burst is what comes at once after a pause."""

    connections_most: Most = 10_000
    """Of this gateway. Above it handshakes are refused, and the gateway is not ready."""
    connections_per_address_most: Most = 1_000
    connections_per_user_most: Most = 100
    http_connections_most: Most = 8_000
    """Beside WebSockets: of the API, the page, and clients that poll."""
    requests_per_second: PerSecond = 20.0
    """To the HTTP API, of one user."""
    requests_burst: Burst = 100
    handshakes_per_second: PerSecond = 500.0
    handshake_burst: Burst = 1_000
    verifications_at_once: Annotated[int, Meta(ge=1, le=10_000)] = 64
    """Clients whose tokens the auth service is asked about at once; the others wait."""
    rooms_per_socket_most: Most = 500
    frames_per_second: PerSecond = 125.0
    """Of one socket, for long, whatever is in them; whoever sends more is read more slowly."""
    messages_per_second: PerSecond = 20.0
    messages_burst: Burst = 100
    events_per_second: PerSecond = 50.0
    events_burst: Burst = 100
    typings_per_second: PerSecond = 10.0
    typings_burst: Burst = 20
    joins_per_second: PerSecond = 20.0
    """And leaves."""
    joins_burst: Burst = 250
    presences_per_second: PerSecond = 5.0
    """Questions for who is in a room."""
    presences_burst: Burst = 250
    pages_per_second: PerSecond = 10.0
    pages_burst: Burst = 50
    reads_per_second: PerSecond = 10.0
    """Moved read markers."""
    reads_burst: Burst = 50
    refreshes_per_second: PerSecond = 1.0
    refreshes_burst: Burst = 5
    dismissals_per_second: PerSecond = 10.0
    """Of notifications."""
    dismissals_burst: Burst = 100
    mistakes_per_second: PerSecond = 10.0
    """Events that are none."""
    mistakes_burst: Burst = 50

    @property
    def rates(self) -> dict[str, tuple[float, int]]:
        """Those of one socket, by the word that they are counted under."""
        return {
            "message": (self.messages_per_second, self.messages_burst),
            "event": (self.events_per_second, self.events_burst),
            "typing": (self.typings_per_second, self.typings_burst),
            "join": (self.joins_per_second, self.joins_burst),
            "presence": (self.presences_per_second, self.presences_burst),
            "history": (self.pages_per_second, self.pages_burst),
            "read": (self.reads_per_second, self.reads_burst),
            "refresh": (self.refreshes_per_second, self.refreshes_burst),
            "dismiss": (self.dismissals_per_second, self.dismissals_burst),
            "mistake": (self.mistakes_per_second, self.mistakes_burst),
        }

    @property
    def shown(self) -> dict[str, float]:
        """All of it as /metrics shows it, by the words of `parley_gateway_limited_total`."""
        return {
            "connections": self.connections_most,
            "address": self.connections_per_address_most,
            "user": self.connections_per_user_most,
            "http": self.http_connections_most,
            "api": self.requests_per_second,
            "handshakes": self.handshakes_per_second,
            "rooms": self.rooms_per_socket_most,
            "frames": self.frames_per_second,
            **{name: per_second for name, (per_second, _) in self.rates.items()},
        }
