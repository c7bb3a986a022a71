"""What the edge counts; the gateway's other metrics are in `services/gateway/metrics.py`.

They are here because the edge serves any Socket.IO application: it counts what it does itself, and imports nothing of
Parley, not even how Parley counts.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from services.gateway.edge.plain_count import PlainCount

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""As everywhere in Parley."""

received_packets = PlainCount("parley_gateway_received_packets_total", "Engine.IO packets that clients sent.")
received_bytes = PlainCount(
    "parley_gateway_received_bytes_total",
    "What they came in: bytes of WebSockets, and of the bodies of polling requests.",
)
sent_packets = PlainCount("parley_gateway_sent_packets_total", "Engine.IO packets handed to clients' connections.")
sent_bytes = PlainCount(
    "parley_gateway_sent_bytes_total", "Their bytes, each packet as a WebSocket frame, those of polls too."
)
ping_round_trip = Histogram(
    "parley_gateway_ping_round_trip_seconds",
    "From a ping of Engine.IO's heartbeat being sent to its answer having come.",
    buckets=_BUCKETS,
)
malformed_packets = Counter("parley_gateway_malformed_packets_total", "Packets that no handler ever saw.")
handshakes_refused = Counter(
    "parley_gateway_handshakes_refused_total", "Handshakes answered 503, for the gateway is about to end."
)
slow_readers = Gauge("parley_gateway_slow_readers", "Connections that read more slowly than they are sent to.")
slow_readers_closed = Counter(
    "parley_gateway_slow_readers_closed_total",
    "Slow readers closed: behind (too much waits), stalled (reads nothing), overload (too much waits for all).",
    ["reason"],
)
unsent_bytes = Gauge("parley_gateway_unsent_bytes", "What waits for slow readers.")
superseded = Counter(
    "parley_gateway_superseded_total",
    "Events that slow readers did not get: newer (there was one after it), no_room (too much was kept).",
    ["reason"],
)
http_closed = Counter(
    "parley_gateway_http_closed_total",
    "HTTP connections that took too long: no_request (none came), request (to come, or its answer to be taken);"
    " or too_many (it was idle, and there were more than there may be).",
    ["reason"],
)
http_connections = Gauge(
    "parley_gateway_http_connections", "HTTP connections, those of clients that poll among them."
)
sessions = Gauge("parley_gateway_sessions", "Engine.IO sessions, let in or not; connections_limit is of these.")
connections_limit = Gauge("parley_gateway_connections_limit", "How many sessions there may be; 0: no limit.")
limits = Gauge("parley_gateway_limit", "Limits, as configured: how many, or how many a second; 0: none.", ["limit"])
limited = Counter("parley_gateway_limited_total", "What was refused, or made to wait, because of a limit.", ["limit"])
malformed_requests = Counter("parley_gateway_malformed_requests_total", "HTTP requests that were none.")

# There from the start, at 0: what happens for the first time in a series that has just appeared is seen by no rate.
for _reason in ("behind", "stalled", "overload"):
    slow_readers_closed.labels(reason=_reason)
for _reason in ("no_request", "request", "too_many"):
    http_closed.labels(reason=_reason)
for _limit in ("connections", "address", "handshakes", "frames", "http", "http_address"):
    limited.labels(limit=_limit)


def sent(packets: int, size: int) -> None:
    """So many packets, of so many bytes as frames, were handed to connections."""
    sent_packets.value += packets
    sent_bytes.value += size
