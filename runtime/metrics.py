"""Metrics that every process has. Each service adds its own in its own `metrics.py`."""

from typing import Final

from prometheus_client import Counter, Gauge, disable_created_metrics

from runtime.tallies import TimeTally

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""For every histogram of seconds, so that panels can compare them."""

# They would double the series of counters, and tell no more than the process's own start.
disable_created_metrics()  # type: ignore[no-untyped-call]

build_info = Gauge(
    "parley_build_info",
    "1: what runs here; the revision is that of the source, if whoever built it said so.",
    ["service", "version", "revision", "python"],
)
event_loop_lag = TimeTally(
    "parley_event_loop_lag_seconds",
    "How late the event loop runs a timer, looked at ten times a second: everything here waits so long for its turn.",
    buckets=LATENCY_BUCKETS,
)
memory_limit = Gauge("parley_memory_limit_bytes", "The limit of the process's control group; 0: none.")
tasks = Gauge("parley_tasks", "Tasks of the event loop that have not ended.")
nats_connected = Gauge("parley_nats_connected", "1 while the connection to NATS is up.")
nats_reconnects = Counter("parley_nats_reconnects_total", "Times the connection to NATS was made again.")
nats_revived = Counter(
    "parley_nats_revived_total", "Times a connection that claimed to be up but carried nothing was torn down."
)
nats_errors = Counter(
    "parley_nats_errors_total",
    "Errors that the NATS client reported, by kind; callback: one of ours raised, or what came could not be read.",
    ["kind"],
)
nats_slow_consumers = Counter(
    "parley_nats_slow_consumers_total", "Messages that the NATS client let go, for we read too slowly."
)
nats_late_replies = Counter(
    "parley_nats_late_replies_total", "Replies that came when nobody waited for them any more."
)
certificate_expiry = Gauge(
    "parley_tls_certificate_expiry_timestamp_seconds",
    "When the first of the certificates expires that this process has read at its start for TLS to NATS: nats_ca,"
    " nats_client.",
    ["use"],
)
