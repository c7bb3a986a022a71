"""The devices of users: what is for a user, wherever they are, goes to each of their connections here.

One subscription for each user with connections here, made for the first and dropped with the last. A user without
any costs this gateway nothing.
"""

from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from runtime.bus import Bus
from runtime.listening import Delivery, Listening
from services.gateway import metrics
from services.gateway.connection import Connection
from services.gateway.fanout import FanOut
from services.gateway.pushes import DismissedShown, NotificationShown, ReadShown, event
from services.gateway.relay import Known
from services.gateway.roster import Roster
from wire import codec, subjects
from wire.live import UserLive
from wire.notifications import Dismissed, Notification
from wire.reading import ReadMoved

log = structlog.get_logger()

_decoder: Final[codec.Decoder[UserLive]] = codec.Decoder(UserLive)  # type: ignore[arg-type] # a union


class Devices:
    """Delivers what comes live for users: at most once.

    Nothing comes while there is no connection to NATS, or while it is not known who may be here (`Control`, which is
    not current from a lost connection on). Whoever keeps what is delivered here has to make it good after that, for
    all `users`, each time that `Control` becomes current.
    """

    def __init__(
        self,
        bus: Bus,
        control: Known,
        roster: Roster,
        fan_out: FanOut,
        on_dismissed: Callable[[str, str], None],
    ) -> None:
        """`on_dismissed` is told of each notification that was read: whose, and its id."""
        self._bus = bus
        self._control = control
        self._roster = roster
        self._fan_out = fan_out
        self._on_dismissed = on_dismissed
        self._lines: dict[str, Listening] = {}
        metrics.users.set_function(lambda: len(self._lines))

    @property
    def users(self) -> list[str]:
        """Those with connections here."""
        return list(self._lines)

    def begin(self, connection: Connection) -> None:
        """`connection` is in the roster: it gets what is published, or asked for by us, after this call."""
        user = connection.bearer.user.id
        if user not in self._lines:
            self._lines[user] = self._bus.listen(subjects.live_user_interest(user), self._on_live)

    def end(self, connection: Connection) -> None:
        """`connection` is not in the roster any more."""
        user = connection.bearer.user.id
        if user in self._lines and not self._roster.of(user):
            self._lines.pop(user).close()

    def tell(self, user: str, name: str, shown: msgspec.Struct, *, skip: str | None = None) -> None:
        """Send the event `name` to all connections of `user` here, but the one with id `skip`.

        Those that are over, or were told to go, get nothing any more.
        """
        packet = event(name, shown)
        for connection in self._roster.of(user):
            if connection.id != skip and connection.may_be_told:
                metrics.deliveries[name,] += 1
                self._fan_out.send(connection, packet)

    def _on_live(self, delivery: Delivery) -> None:
        if not self._control.is_current:
            return
        metrics.live_bytes[()] += len(delivery.data)
        subject = delivery.subject.decode(errors="replace")
        try:
            live = _decoder.decode(delivery.data)
        except codec.WireError as error:
            metrics.live_unreadable.inc()
            log.warning("unreadable live message", subject=subject, error=repr(error))
            return
        user = subjects.user_of_live(subject)
        match live:
            case ReadMoved():
                metrics.live_messages["read",] += 1
                self.tell(user, "read", ReadShown(live.room, live.seq), skip=live.origin)
            case Notification():
                metrics.live_messages["notification",] += 1
                self.tell(user, "notification", NotificationShown.of(live))
            case Dismissed():
                metrics.live_messages["dismissed",] += 1
                self._on_dismissed(user, live.id)
                self.tell(user, "dismissed", DismissedShown(live.id), skip=live.origin)
