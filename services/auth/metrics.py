"""What the auth service counts."""

from prometheus_client import Counter, Histogram

from runtime.metrics import LATENCY_BUCKETS

requests = Counter("parley_auth_requests_total", "Requests answered, by kind and result code.", ["kind", "result"])
duration = Histogram(
    "parley_auth_request_duration_seconds", "Time to answer, by kind.", ["kind"], buckets=LATENCY_BUCKETS
)
