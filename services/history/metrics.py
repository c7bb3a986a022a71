"""What the history service counts."""

from prometheus_client import Counter, Gauge, Histogram

from runtime.metrics import LATENCY_BUCKETS

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
lag_seconds = Gauge("parley_history_lag_seconds", "Age of the oldest message known to wait for MongoDB; 0: none.")
page_duration = Histogram(
    "parley_history_page_duration_seconds", "Time to answer a page, by result.", ["result"], buckets=LATENCY_BUCKETS
)
request_duration = Histogram(
    "parley_history_request_duration_seconds",
    "Time to answer anything else, by what was asked and result.",
    ["kind", "result"],
    buckets=LATENCY_BUCKETS,
)
