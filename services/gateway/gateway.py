"""The application that clients talk to: the gateway's parts, wired together."""

import asyncio
from collections.abc import Mapping
from typing import Final

from runtime.bus import Bus
from runtime.key_value import KeyValue
from runtime.rpc import Caller
from runtime.stream import MessageStream
from services.gateway.access import CHECK_SECONDS, Access
from services.gateway.admission import Admission
from services.gateway.auth import Auth
from services.gateway.clients import Clients
from services.gateway.connection import Connection
from services.gateway.control import Control
from services.gateway.devices import Devices
from services.gateway.drain import Drain
from services.gateway.entering import Entering
from services.gateway.events import Events
from services.gateway.fanout import FanOut
from services.gateway.joining import Baselines, Joining
from services.gateway.lifetimes import Lifetimes
from services.gateway.member_watch import MemberWatch
from services.gateway.membership_news import MembershipNews
from services.gateway.missed import Missed
from services.gateway.notices import Notices
from services.gateway.notifying import Notifying
from services.gateway.posting import Posting
from services.gateway.presence.presence import Presence
from services.gateway.publisher import Publisher
from services.gateway.pushes import SessionStarted, event
from services.gateway.quiet_rooms import QuietRooms
from services.gateway.reading import Reading
from services.gateway.recovery.recovery import Recovery
from services.gateway.recovery.session_bucket import SessionBucket
from services.gateway.recovery.sessions import Sessions
from services.gateway.relay import Relay
from services.gateway.replay_memory import ReplayMemory
from services.gateway.resuming import Resuming
from services.gateway.rooms import Rooms
from services.gateway.roster import Roster
from services.gateway.routes import routes
from services.gateway.settings import GatewaySettings
from services.gateway.user_rate import UserRate
from wire import streams, subjects
from wire.accounts import Verified
from wire.control import Control as AnyControl
from wire.control import MembersChanged
from wire.errors import ParleyError
from wire.messages import Done, Page
from wire.notifications import Kept

_HISTORY_SECONDS: Final = 5.0
_BASELINE_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 1.0
"""From the last moment at which a message may be stored to its sender's having been told."""


class Gateway:
    """The application that clients talk to: everything wired together."""

    def __init__(self, settings: GatewaySettings, connection: Bus) -> None:
        stream = MessageStream(connection)
        history = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_HISTORY_SECONDS)
        members = Caller(connection, subjects.ROOMS_CHECK, Done, timeout=CHECK_SECONDS)
        watch, roster = MemberWatch(), Roster()
        access = Access(members, public_rooms=settings.public_rooms)
        self._settings = settings
        self.control = Control(connection, self._apply, self._on_current, self._on_abreast)
        asking = UserRate(settings.allowed.requests_per_second, settings.allowed.requests_burst)
        self._auth = Auth(connection, self.control, asking)
        self.clients = Clients(
            self,
            limits=settings.limits,
            transports=settings.transports,
            allowed_origins=settings.allowed_origins,
            admission=Admission(
                at_once=settings.allowed.verifications_at_once,
                per_user=settings.allowed.connections_per_user_most,
            ),
        )
        self._fan_out = fan_out = FanOut(settings.fan_out_window_ms / 1000)
        self.presence = Presence(
            connection,
            fan_out,
            self.control,
            instance=settings.instance,
            inbox=subjects.inbox(settings.nats_user),
            lease=settings.presence_lease_seconds,
            batch_above=settings.presence_batch_above,
        )
        self._relay = relay = Relay(fan_out, stream, self.control, self.presence)
        kept = Caller(connection, subjects.HISTORY_NOTIFICATIONS, Kept, timeout=_HISTORY_SECONDS)
        self._notices = Notices(kept, self.control, roster, fan_out)
        self._devices = Devices(connection, self.control, roster, fan_out, self._notices.on_dismissed)
        notifying = Notifying(connection, kept)
        self._membership_news = MembershipNews(self.control, roster, fan_out)
        self._lifetimes = Lifetimes(self._auth, roster, fan_out, self.clients.dismiss_one)
        briefly = Caller(connection, subjects.HISTORY_PAGE, Page, timeout=_BASELINE_SECONDS)
        baselines = Baselines(stream, briefly)
        missed = Missed(history, stream, ReplayMemory())
        resuming = Resuming(fan_out, missed, self.control, seconds=settings.resume_seconds)
        linger = settings.room_linger_seconds
        self._rooms = Rooms(connection, relay.on_live, baselines.of, self.presence, linger=linger)
        self.quiet_rooms = QuietRooms(self._rooms, relay, stream, period=settings.quiet_check_seconds)
        joining = Joining(fan_out, self._rooms, relay, resuming)
        self._sessions = Sessions(SessionBucket(KeyValue(connection, streams.KEPT_SESSIONS)))
        self._recovery = Recovery(
            sessions=self._sessions,
            rooms=self._rooms,
            access=access,
            watch=watch,
            joining=joining,
            missed=missed,
            fan_out=fan_out,
        )
        self._entering = Entering(
            access=access,
            watch=watch,
            roster=roster,
            rooms=self._rooms,
            joining=joining,
            sessions=self._sessions,
            fan_out=fan_out,
            rooms_most=settings.allowed.rooms_per_socket_most,
        )
        publisher = Publisher(
            connection, stream, timeout=settings.publish_timeout_seconds, most=settings.publishes_in_flight_most
        )
        posting = Posting(self._auth, access, publisher, most=settings.publishes_in_flight_most)
        reading = Reading(connection)
        self._events = Events(
            bus=connection,
            control=self.control,
            entering=self._entering,
            lifetimes=self._lifetimes,
            publisher=publisher,
            history=history,
            notifying=notifying,
            reading=reading,
            presence=self.presence,
            fan_out=fan_out,
            allowed=settings.allowed,
        )
        self.routes: Final = routes(
            settings,
            connection,
            auth=self._auth,
            access=access,
            history=history,
            posting=posting,
            notifying=notifying,
            reading=reading,
        )

    async def drain(self, seconds: float) -> None:
        """Send all clients away, evenly over `seconds`; see `Drain`."""
        patience = self._settings.publish_timeout_seconds + _ANSWER_SECONDS
        await Drain(self.clients, self._fan_out, patience=patience).run(seconds)

    async def authenticate(self, auth: object) -> Verified:
        """See `clients.Application`."""
        return await self._auth.connecting(auth)

    async def admit(self, connection: Connection, auth: object) -> None:
        """See `clients.Application`."""
        await self._recovery.begin(connection, auth)
        try:
            self._auth.check(connection.bearer)  # it may have been revoked meanwhile
        except ParleyError:
            self._recovery.abandon(connection)
            raise

    async def why_full(self) -> str | None:
        """For `/readyz`: a balancer leads elsewhere while no more clients fit in here."""
        return "full" if self.clients.is_full else None

    def connected(self, connection: Connection) -> tuple[Mapping[str, str], list[bytes]]:
        """See `clients.Application`."""
        bearer = connection.bearer
        started = SessionStarted(
            user=bearer.user,
            session=bearer.session,
            gateway=self._settings.instance,
            expires_in=connection.expires_in,
        )
        missed = self._recovery.complete(connection)
        self._lifetimes.begin(connection)
        self._devices.begin(connection)
        self._notices.begin(connection)
        answer = {} if connection.kept is None else {"pid": connection.kept.pid}
        return answer, [event("session", started), *missed]

    def disconnected(self, connection: Connection) -> None:
        """See `clients.Application`."""
        self._lifetimes.end(connection)
        self._devices.end(connection)
        self._notices.end(connection)
        self._sessions.end(connection)
        self._fan_out.forget(connection)
        for room in tuple(connection.rooms):
            self._rooms.leave(room, connection)

    def _apply(self, message: AnyControl) -> None:
        if isinstance(message, MembersChanged):
            self._membership_news.note(message, self._entering.on_members_changed(message))
        else:
            self._lifetimes.on_revoked(message)

    def _on_abreast(self) -> None:
        self._membership_news.settle()

    def _on_current(self) -> None:
        self.presence.on_current()
        # What came live while it was not known who may hear it was dropped.
        self._notices.make_good(self._devices.users)
        self._catching_up = asyncio.ensure_future(self._relay.catch_up_all(self._rooms.open_rooms()))

    def handle(self, connection: Connection, ack_id: str, text: str) -> None:
        """See `clients.Application`."""
        self._events.handle(connection, ack_id, text)
