"""What is live: the unions that a gateway decodes, by where it hears them."""

from wire.messages import ChatMessage, RoomEvent, Typing
from wire.notifications import Dismissed, Notification
from wire.presence import Farewell, Heartbeat, PresenceAsked, PresenceChanged, PresenceStands
from wire.reading import ReadMoved

RoomLive = ChatMessage | Typing | RoomEvent | PresenceChanged | PresenceStands | PresenceAsked
"""On `subjects.live_interest`."""

UserLive = Notification | Dismissed | ReadMoved
"""On `subjects.live_user_interest`."""

GatewayLive = Heartbeat | Farewell
"""On `subjects.GATEWAYS`."""
