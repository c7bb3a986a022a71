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
http_closed = Counter(
    "parley_gateway_http_closed_total",
    "HTTP connections that took too long: no_request (none came), request (to come, or its answer to be taken).",
    ["reason"],
)
malformed_requests = Counter("parley_gateway_malformed_requests_total", "HTTP requests that were none.")
