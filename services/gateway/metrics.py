"""What a gateway counts; what its edge does is in `services/gateway/edge/metrics.py`.

Labels are bounded: never a user, a room or a connection.
"""

from typing import Final

from prometheus_client import Counter, Gauge

from runtime.metrics import LATENCY_BUCKETS
from runtime.tallies import Tally, TimeTally
from services.gateway import outcomes

connections = Gauge("parley_gateway_connections", "Clients connected and verified.")
connects = Tally(
    "parley_gateway_connects_total", "Attempts to connect, by result code.", ["result"], known=outcomes.ANSWERS
)
disconnects = Tally(
    "parley_gateway_disconnects_total",
    "Connections that ended, by reason.",
    ["reason"],
    known=("client_disconnect", "server_disconnect", "ping_timeout", "transport_close", "transport_error"),
)
draining = Gauge("parley_gateway_draining", "1 once the gateway was told to end, while it closes its connections.")
drained = Tally(
    "parley_gateway_drained_connections_total",
    "Connections closed because the gateway ends: ok, or unanswered (something that the client sent took too long).",
    ["result"],
    known=("ok", "unanswered"),
)
events = Tally(
    "parley_gateway_events_total",
    "Client events, by name and result code; unknown: no such event, malformed: none at all.",
    ["event", "result"],
    known=[(event, result) for event in outcomes.EVENTS for result in outcomes.OURS],
)
recoveries = Tally(
    "parley_gateway_recoveries_total",
    "Clients that wanted their session back, by outcome.",
    ["outcome"],
    known=outcomes.RECOVERIES,
)
resumes = Tally(
    "parley_gateway_resumes_total",
    "Joins that asked for what was missed: complete, truncated (told the newest 500), unavailable (it could not be"
    " read, or not in time), gone (the client did not stay for it), refused, failed.",
    ["verdict"],
    known=("complete", "truncated", "unavailable", "gone", "refused", "failed"),
)
resuming = Gauge("parley_gateway_resuming", "Joins under way whose clients are being told what they missed.")
resume_reads = Tally(
    "parley_gateway_resume_reads_total",
    "Parts of what resuming clients missed, by where they came from; memory: another had them read.",
    ["source"],
    known=("history", "stream", "memory"),
)
replay_bytes = Gauge("parley_gateway_replay_bytes", "Memory that keeps messages for those who resume.")
control_current = Gauge(
    "parley_gateway_control_current", "1 while it is known who may not be here any more; nobody is served otherwise."
)
control_messages = Tally(
    "parley_gateway_control_messages_total",
    "Revocations and changes of members heard or read, by kind.",
    ["kind"],
    known=("control.session", "control.user", "control.room"),
)
control_latency = TimeTally(
    "parley_gateway_control_latency_seconds",
    "From a revocation or change of members being stored to its having taken effect here, if it came live.",
    buckets=LATENCY_BUCKETS,
)
ended = Tally(
    "parley_gateway_sessions_ended_total",
    "Connections closed for what became of their token: revoked, expired.",
    ["reason"],
    known=("revoked", "expired"),
)
removals = Counter("parley_gateway_removals_total", "Connections put out of a private room.")
users = Gauge("parley_gateway_users", "Users with connections here, each with an interest of its own on NATS.")
rooms = Gauge("parley_gateway_rooms", "Rooms this gateway listens to.")
subscriptions = Gauge("parley_gateway_subscriptions", "Subscriptions to NATS: a room or a user is one.")
deliveries = Tally(
    "parley_gateway_deliveries_total",
    "Events handed to a client's connection, by name.",
    ["event"],
    known=("message", "event", "typing", "presence", "notification", "dismissed", "read", "added", "removed"),
)
fan_out_duration = TimeTally(
    "parley_gateway_fan_out_duration_seconds",
    "From the first that waits to be sent in a room to all that waits having been written to all its members.",
    buckets=LATENCY_BUCKETS,
)
live_messages = Tally(
    "parley_gateway_live_received_total",
    "Live messages received over NATS, by kind.",
    ["kind"],
    known=("message", "event", "typing", "presence", "notification", "dismissed", "read"),
)
live_bytes = Tally("parley_gateway_live_received_bytes_total", "Their payload, in bytes.")
notified = Tally(
    "parley_gateway_notified_total",
    "Notifications that backends wanted told, by result code.",
    ["result"],
    known=outcomes.OURS,
)
notification_questions = Tally(
    "parley_gateway_notification_questions_total",
    "Questions for what is kept for users who came, however many in one, by result code.",
    ["result"],
    known=outcomes.OURS,
)
live_unreadable = Counter("parley_gateway_live_unreadable_total", "Live messages that could not be decoded.")
delivery_latency = TimeTally(
    "parley_gateway_delivery_latency_seconds",
    "From a message being stored to its having been written to the connections of its room, however it came here.",
    buckets=LATENCY_BUCKETS,
)
publish_duration = TimeTally(
    "parley_gateway_publish_duration_seconds",
    "From publishing a message to its being stored, by result.",
    ["result"],
    buckets=LATENCY_BUCKETS,
    known=("ok", "duplicate", "refused", "unavailable"),
)
posts = Tally(
    "parley_gateway_posts_total",
    "Messages that came over HTTP, by whom (user, service) and result code; gone: whoever sent it did not wait.",
    ["by", "result"],
    known=[(by, result) for by in ("user", "service") for result in outcomes.OURS],
)
publishes_in_flight = Gauge(
    "parley_gateway_publishes_in_flight", "Messages published and not yet known to be stored."
)
publishes_in_flight_limit = Gauge(
    "parley_gateway_publishes_in_flight_limit", "How many of those there may be; what comes above it is refused."
)
gaps_found = Counter("parley_gateway_gaps_found_total", "Holes in what came live in a room.")
gaps_open = Gauge("parley_gateway_gaps_open", "Holes that are being filled now.")
gaps_healed = Counter("parley_gateway_gaps_healed_total", "Holes that were filled from the stream.")
gaps_unhealable = Counter("parley_gateway_gaps_unhealable_total", "Holes that were not: members have to join again.")
present = Gauge("parley_gateway_present", "Users in rooms here: each once in every room.")
presence_peers = Gauge("parley_gateway_presence_peers", "Other gateways that are known to live.")
presence_peers_dropped = Counter(
    "parley_gateway_presence_peers_dropped_total", "Gateways that fell silent, whose users are offline for it."
)
presence_deaf = Gauge(
    "parley_gateway_presence_deaf", "1 while it does not hear its own heartbeats, and so takes no gateway for dead."
)
_PRESENCE: Final = ("changed", "stands", "asked", "snapshot", "heartbeat", "farewell")
presence_said = Tally(
    "parley_gateway_presence_said_total",
    "What this gateway has published of who is present, by kind.",
    ["kind"],
    known=_PRESENCE,
)
presence_heard = Tally(
    "parley_gateway_presence_heard_total",
    "What it has heard of that from others, by kind.",
    ["kind"],
    known=_PRESENCE,
)
quiet_checks = Tally(
    "parley_gateway_quiet_checks_total",
    "Rooms that heard nothing for a while, and whether the stream has anything: ok, behind, unavailable.",
    ["result"],
    known=("ok", "behind", "unavailable"),
)
