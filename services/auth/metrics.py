"""What the auth service counts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.metrics import LATENCY_BUCKETS
from wire.errors import ErrorCode

GROUPS: Final = {
    "verify": "verify",
    "keys": "keys",
    "verify_service": "services",
    "guest": "sessions",
    "refresh": "sessions",
    "logout": "sessions",
    "disconnect": "sessions",
    "register": "passwords",
    "login": "passwords",
    "password": "passwords",
    "rooms_check": "rooms",
    "rooms_create": "rooms",
    "rooms_direct": "rooms",
    "rooms_add": "rooms",
    "rooms_remove": "rooms",
    "rooms_rename": "rooms",
    "rooms_delete": "rooms",
    "rooms_list": "rooms",
    "rooms_get": "rooms",
}
"""Of each kind of request: those that do the same work. A histogram of each kind would be three hundred series."""

requests = Counter("parley_auth_requests_total", "Requests answered, by kind and result code.", ["kind", "result"])
duration = Histogram(
    "parley_auth_request_duration_seconds",
    "Time to answer: verify, keys, sessions, passwords (they are hashed), rooms, services.",
    ["group"],
    buckets=LATENCY_BUCKETS,
)
tokens_issued = Counter("parley_auth_tokens_issued_total", "Tokens issued by the service: access, refresh.", ["kind"])
revocation_duration = Histogram(
    "parley_auth_revocation_duration_seconds",
    "From a session's end being asked for to all gateways hearing of it: ok (the stream has it), failed.",
    ["result"],
    buckets=LATENCY_BUCKETS,
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

# There from the start, at 0: what happens for the first time in a series that has just appeared is seen by no rate.
for _kind, _group in GROUPS.items():
    duration.labels(group=_group)
    for _result in ("ok", ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL):
        requests.labels(kind=_kind, result=_result)
for _kind in ("access", "refresh"):
    tokens_issued.labels(kind=_kind)
for _result in ("ok", "failed"):
    revocation_duration.labels(result=_result)
for _reason in ("logout", "reuse", "password", "disconnect"):
    sessions_revoked.labels(reason=_reason)
for _limit in ("login_account", "login_address", "register", "guest"):
    attempts_refused.labels(limit=_limit)


@contextmanager
def revoking() -> Iterator[None]:
    """Around what ends sessions, up to the stream's having it."""
    began, result = time.perf_counter(), "failed"
    try:
        yield
        result = "ok"
    finally:
        revocation_duration.labels(result=result).observe(time.perf_counter() - began)
