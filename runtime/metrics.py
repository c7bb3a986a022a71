"""Metrics that every process has. Each service adds its own in its own `metrics.py`."""

from typing import Final

from prometheus_client import Counter, Gauge

LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""For every histogram of seconds, so that panels can compare them."""

tasks = Gauge("parley_tasks", "Tasks of the event loop that have not ended.")
nats_connected = Gauge("parley_nats_connected", "1 while the connection to NATS is up.")
nats_reconnects = Counter("parley_nats_reconnects_total", "Times the connection to NATS was made again.")
nats_revived = Counter(
    "parley_nats_revived_total", "Times a connection that claimed to be up but carried nothing was torn down."
)
nats_errors = Counter(
    "parley_nats_errors_total", "Errors that the NATS client reported, or a callback of ours raised.", ["kind"]
)
nats_late_replies = Counter(
    "parley_nats_late_replies_total", "Replies that came when nobody waited for them any more."
)
