"""What the history service counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.metrics import LATENCY_BUCKETS
from wire.errors import ErrorCode

OTHERS: Final = ("read", "unread", "notify", "notifications", "dismiss")
"""What is asked beside pages."""

persisted = Counter("parley_history_persisted_messages_total", "Messages written to MongoDB.")
already_persisted = Counter(
    "parley_history_already_persisted_messages_total", "Messages that were delivered again and found in place."
)
dead_letters = Counter("parley_history_dead_letters_total", "Messages that could not be read, kept aside.")
write_failures = Counter("parley_history_write_failures_total", "Batches that MongoDB did not take, tried again.")
batch_size = Histogram(
    "parley_history_batch_messages", "Messages a batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
persist_duration = Histogram(
    "parley_history_persist_duration_seconds", "Time to write a batch, retries included.", buckets=LATENCY_BUCKETS
)
lag_messages = Gauge("parley_history_lag_messages", "Messages stored in the stream and not yet in MongoDB.")
lag_seconds = Gauge("parley_history_lag_seconds", "Age of the oldest message that is not in MongoDB yet; 0: none.")
stream_ends_below = Gauge(
    "parley_history_stream_ends_below_messages",
    "By how many seqs, which it gives a second time, the stream ended below MongoDB when it was looked at; 0: none.",
)
requests = Counter(
    "parley_history_requests_total", "Requests answered, by what was asked and result code.", ["kind", "result"]
)
page_duration = Histogram(
    "parley_history_page_duration_seconds",
    "Time to answer a page: ok, refused (the request's fault), failed (ours).",
    ["result"],
    buckets=LATENCY_BUCKETS,
)
request_duration = Histogram(
    "parley_history_request_duration_seconds",
    "Time to answer anything else, by what was asked.",
    ["kind"],
    buckets=LATENCY_BUCKETS,
)

# There from the start, at 0: what happens for the first time in a series that has just appeared is seen by no rate.
for _kind in ("page", *OTHERS):
    for _result in ("ok", ErrorCode.UNAVAILABLE, ErrorCode.INTERNAL):
        requests.labels(kind=_kind, result=_result)
for _kind in OTHERS:
    request_duration.labels(kind=_kind)
for _result in ("ok", "refused", "failed"):
    page_duration.labels(result=_result)
