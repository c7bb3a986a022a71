"""What the edge counts; the gateway's other metrics are in `services/gateway/metrics.py`."""

from prometheus_client import Counter, Gauge

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
