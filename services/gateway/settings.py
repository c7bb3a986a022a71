"""What a gateway can be told."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from runtime.settings import Port, Seconds, ServiceSettings, Text


class GatewaySettings(ServiceSettings, frozen=True, kw_only=True):
    """All of it."""

    host: Text = "0.0.0.0"  # noqa: S104 - it is the public edge
    port: Port = 8080
    transports: Annotated[tuple[Literal["polling", "websocket"], ...], Meta(min_length=1)] = ("polling", "websocket")
    """`websocket` alone needs no sticky sessions."""
    allowed_origins: tuple[Text, ...] = ()
    """Origins whose pages may connect, beside the gateway's own."""
    public_rooms: bool = True
    """Whether rooms other than groups and direct conversations exist, for everybody."""
    room_linger_seconds: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """How long a gateway goes on listening to a room after its last member has left."""
    publish_timeout_seconds: Seconds = 5.0
    web_dir: Text = "web"

    @property
    def web(self) -> Path:
        """Where the chat page is."""
        return Path(self.web_dir)
