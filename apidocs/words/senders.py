"""Who sends and hears what on NATS."""

from typing import Final

GATEWAY: Final = "gateway"
AUTH: Final = "auth"
HISTORY: Final = "history"
NATS: Final = "nats-server"
