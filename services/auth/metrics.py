"""What the auth service counts."""

from prometheus_client import Counter, Histogram

from runtime.metrics import LATENCY_BUCKETS

requests = Counter("parley_auth_requests_total", "Requests answered, by kind and result code.", ["kind", "result"])
duration = Histogram(
    "parley_auth_request_duration_seconds", "Time to answer, by kind.", ["kind"], buckets=LATENCY_BUCKETS
)
sessions_opened = Counter("parley_auth_sessions_opened_total", "Sessions opened.")
sessions_refreshed = Counter("parley_auth_sessions_refreshed_total", "Times that a session was gone on with.")
sessions_revoked = Counter("parley_auth_sessions_revoked_total", "Sessions ended before their time.", ["reason"])
attempts_refused = Counter("parley_auth_attempts_refused_total", "Attempts above a limit, by which one.", ["limit"])
