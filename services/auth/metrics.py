"""What the auth service counts."""

from prometheus_client import Counter, Gauge, Histogram

from runtime.metrics import LATENCY_BUCKETS

requests = Counter("parley_auth_requests_total", "Requests answered, by kind and result code.", ["kind", "result"])
duration = Histogram(
    "parley_auth_request_duration_seconds", "Time to answer, by kind.", ["kind"], buckets=LATENCY_BUCKETS
)
sessions_opened = Counter("parley_auth_sessions_opened_total", "Sessions opened.")
sessions_refreshed = Counter("parley_auth_sessions_refreshed_total", "Times that a session was gone on with.")
sessions_revoked = Counter("parley_auth_sessions_revoked_total", "Sessions ended before their time.", ["reason"])
attempts_refused = Counter("parley_auth_attempts_refused_total", "Attempts above a limit, by which one.", ["limit"])
keys = Gauge("parley_auth_keys", "Keys that verify access tokens; one of them signs.")
signing_key_age = Gauge("parley_auth_signing_key_age_seconds", "How long ago the key that signs was made.")
key_reload_failures = Counter(
    "parley_auth_key_reload_failures_total", "Times the folder of signing keys was looked at and could not be used."
)
jwks_fetches = Counter(
    "parley_auth_jwks_fetches_total", "Times the keys of a trusted issuer were fetched.", ["issuer", "result"]
)
