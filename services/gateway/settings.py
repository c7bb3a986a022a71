"""What a gateway can be told."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from runtime.settings import Port, Seconds, ServiceSettings, SettingsError, Text
from services.gateway.allowed import Allowed
from services.gateway.edge import addresses, origins
from services.gateway.edge.limits import Limits

Bytes = Annotated[int, Meta(ge=1024)]


class GatewaySettings(ServiceSettings, frozen=True, kw_only=True):
    """All of it."""

    nats_user: ClassVar[str] = "gateway"

    host: Text = "0.0.0.0"  # noqa: S104 - it is the public edge
    port: Port = 8080
    transports: Annotated[tuple[Literal["polling", "websocket"], ...], Meta(min_length=1)] = ("polling", "websocket")
    """`websocket` alone needs no sticky sessions."""
    allowed_origins: tuple[Text, ...] = ()
    """Origins whose pages may connect and ask the API, beside the gateway's own."""
    trusted_proxies: tuple[Text, ...] = ()
    """Networks, as CIDR, of proxies before this gateway: their word is taken for whom a request is from."""
    trust_traceparent: bool = False
    """Whether a request may say that its trace is recorded: where a proxy before this gateway decides that."""
    allowed: Allowed = Allowed()
    public_rooms: bool = True
    """Whether rooms other than groups and direct conversations exist, for everybody."""
    room_linger_seconds: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """How long a gateway goes on listening to a room after its last member has left."""
    fan_out_window_ms: Annotated[float, Meta(ge=0, le=1000)] = 2.0
    """How long what happens in a busy room may wait to go out in one write; 0: it never waits."""
    unsent_most_bytes: Bytes = 1024 * 1024
    """What may wait for one client; a slower reader is closed."""
    unsent_total_most_bytes: Bytes = 256 * 1024 * 1024
    """What may wait for all clients; above it, those furthest behind are closed."""
    stall_seconds: Seconds = 5.0
    """How long a client may read nothing of what waits for it."""
    publish_timeout_seconds: Seconds = 5.0
    publishes_in_flight_most: Annotated[int, Meta(ge=1, le=65_536)] = 4096
    """Messages on their way to the stream at once; what comes above it is refused."""
    resume_seconds: Seconds = 30.0
    """How long it may take to tell a client what it missed in a room; then it has to ask for the rest."""
    quiet_check_seconds: Seconds = 60.0
    """How long a room may hear nothing until the stream is asked whether anything was lost on its way."""
    presence_lease_seconds: Annotated[float, Meta(ge=0.5, le=3600)] = 8.0
    """How long another gateway may be silent until its users are offline."""
    presence_batch_above: Annotated[int, Meta(ge=0, le=1_000_000)] = 1000
    """In a room with more users, members are told once a second at most who has come and gone."""
    drain_seconds: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    """Over how long a gateway that is told to end closes its connections; 0: at once."""
    web_dir: Text = "web"
    docs: bool = False
    """Whether this port serves what describes the API, below /docs/, and the pages of the examples."""
    docs_dir: Text = "docs"
    examples_dir: Text = "examples"

    def __post_init__(self) -> None:
        """Check what a type cannot say; raises `SettingsError`."""
        if not all(map(origins.is_origin, self.allowed_origins)):
            raise SettingsError("ALLOWED_ORIGINS is malformed: it lists origins, as https://chat.example.com")
        try:
            addresses.networks(self.trusted_proxies)
        except ValueError:
            raise SettingsError(
                "TRUSTED_PROXIES is malformed: it lists networks, as 10.0.0.0/8 or fd00::/8"
            ) from None

    @property
    def stop_seconds(self) -> float:
        """See `ServiceSettings`; the last to go may have a message on its way to the stream."""
        return super().stop_seconds + self.drain_seconds + self.publish_timeout_seconds

    @property
    def web(self) -> Path:
        """Where the chat page is."""
        return Path(self.web_dir)

    @property
    def limits(self) -> Limits:
        """What a client may cost, and how many may come."""
        allowed = self.allowed
        return Limits(
            unsent_most=self.unsent_most_bytes,
            unsent_total_most=self.unsent_total_most_bytes,
            stall_timeout=self.stall_seconds,
            sessions_most=allowed.connections_most,
            sessions_per_address_most=allowed.connections_per_address_most,
            handshakes_per_second=allowed.handshakes_per_second,
            handshake_burst=allowed.handshake_burst,
            frames_per_second=allowed.frames_per_second,
            http_connections_most=allowed.http_connections_most,
            trusted_proxies=self.trusted_proxies,
        )
