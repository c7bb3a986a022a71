"""History: whether what was acknowledged reaches MongoDB, and can be read."""

from deploy.observability.board import board as made
from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number
from deploy.observability.queries import Metrics
from deploy.observability.shared import limits, mongo, nats_client, process
from deploy.observability.steps import alarm

UID = "parley-history"

_history = Metrics('job="parley-history",instance=~"$instance"')
_all = Metrics()


def board() -> str:
    """Persisting, and pages."""
    return made(
        UID,
        "Parley / History",
        "Does what was acknowledged reach MongoDB, and can it be read? What waits is safe in the stream for"
        " MESSAGES_MAX_AGE_DAYS.",
        {
            "Does it keep up?": _keeps_up(),
            "Persisting": _persisting(),
            "Reading": _reading(),
            "MongoDB": mongo(_history),
            "Limits": limits(_history),
            "NATS": nats_client(_history),
            "The process": process(_history),
        },
        instances='parley_build_info{job="parley-history"}',
    )


def _keeps_up() -> list[Panel]:
    of = _history
    return [
        number(
            "Behind by",
            "Age of the oldest message in the stream that is not in MongoDB yet. Seconds are usual; minutes are a"
            " database that is slow or gone, or too few instances.",
            "s",
            of.max("parley_history_lag_seconds"),
            steps=alarm(60, warn=10),
            width=6,
            empty="no history",
            runbooks=["ParleyHistoryLagging", "ParleyHistoryStuck"],
        ),
        number(
            "Messages that wait",
            "In the stream, not fetched or not acknowledged yet; each instance sees all of them.",
            "short",
            of.max("parley_history_lag_messages"),
            steps=alarm(50_000, warn=5_000),
            width=6,
            empty="no history",
            runbooks=["ParleyHistoryLagging", "ParleyHistoryConsumerLagging"],
        ),
        number(
            "Dead letters, last day",
            "Messages that could not be read and were kept aside. Somebody else publishes to chat.>, or versions"
            " that do not go together run. They are in the collection dead_letters.",
            "none",
            of.increase("parley_history_dead_letters_total", over="1d"),
            steps=alarm(0.01),
            width=6,
            decimals=0,
            empty="no history",
            runbooks=["ParleyHistoryDeadLetters"],
        ),
        number(
            "Pages that failed",
            "Share of the last 5 minutes: `unavailable` or `internal`. People cannot scroll back.",
            "percentunit",
            of.rate("parley_history_page_duration_seconds_count", only='result="failed"', over="5m")
            + " / "
            + of.rate("parley_history_page_duration_seconds_count", over="5m"),
            steps=alarm(0.01, warn=0.001),
            width=6,
            runbooks=["ParleyHistoryPagesFailing"],
        ),
    ]


def _persisting() -> list[Panel]:
    of = _history
    consumer = 'stream_name="MESSAGES",is_consumer_leader="true"'
    return [
        lines(
            "Messages that wait",
            "As history sees it; and what the consumer has to give, as nats-server sees it. Seqs given twice: the"
            " stream ended so far below what MongoDB holds, for NATS lost what it had acknowledged.",
            "short",
            {
                "behind": of.max("parley_history_lag_messages"),
                "not fetched": _all.sum("jetstream_consumer_num_pending", only=consumer),
                "fetched, not acknowledged": _all.sum("jetstream_consumer_num_ack_pending", only=consumer),
                "seqs given twice": of.max("parley_history_stream_ends_below_messages"),
            },
            runbooks=["ParleyHistoryLagging", "ParleyHistoryConsumerLagging", "ParleyStreamEndsBelow"],
        ),
        lines(
            "Behind by",
            "Age of the oldest message that is not in MongoDB yet, as each instance sees it of all.",
            "s",
            {"{{instance}}": of.of("parley_history_lag_seconds")},
            steps=alarm(60),
            runbooks=["ParleyHistoryLagging", "ParleyHistoryStuck"],
        ),
        lines(
            "Persisted",
            "Messages a second written to MongoDB; again: delivered twice and found in place, as after a kill.",
            "cps",
            {
                "written": of.rate("parley_history_persisted_messages_total"),
                "in place already": of.rate("parley_history_already_persisted_messages_total"),
            },
        ),
        lines(
            "What went wrong",
            "A second: batches that MongoDB did not take (tried again until it does), and dead letters.",
            "cps",
            {
                "batches refused": of.rate("parley_history_write_failures_total"),
                "dead letters": of.rate("parley_history_dead_letters_total"),
            },
            runbooks=["ParleyHistoryWritesFailing", "ParleyHistoryDeadLetters"],
        ),
        lines(
            "Time to write a batch",
            "Retries included.",
            "s",
            {
                "p99": of.quantile(0.99, "parley_history_persist_duration_seconds"),
                "p50": of.quantile(0.5, "parley_history_persist_duration_seconds"),
            },
            steps=alarm(1),
        ),
        lines(
            "Messages a batch",
            "At BATCH_SIZE (500) it is catching up.",
            "short",
            {
                "p99": of.quantile(0.99, "parley_history_batch_messages"),
                "mean": of.mean("parley_history_batch_messages"),
            },
            steps=alarm(500),
        ),
    ]


def _reading() -> list[Panel]:
    of = _history
    return [
        lines(
            "Time of a page",
            "By result. Above a second people see an empty screen when they scroll back.",
            "s",
            {
                "{{result}} p99": of.quantile(0.99, "parley_history_page_duration_seconds", "result"),
                "{{result}} p50": of.quantile(0.5, "parley_history_page_duration_seconds", "result"),
            },
            steps=alarm(1),
            runbooks=["ParleyHistoryPagesSlow"],
        ),
        lines(
            "Pages",
            "A second, by result. A burst is a reconnect storm that catches up.",
            "cps",
            {"{{result}}": of.rate("parley_history_page_duration_seconds_count", "result")},
            runbooks=["ParleyHistoryPagesFailing"],
        ),
        lines(
            "Other questions",
            "A second, by kind and result: read markers, unread counts, notifications.",
            "cps",
            {"{{kind}} {{result}}": of.rate("parley_history_requests_total", "kind", "result")},
        ),
        lines(
            "Time of other questions, p99",
            "By kind.",
            "s",
            {"{{kind}}": of.quantile(0.99, "parley_history_request_duration_seconds", "kind")},
            steps=alarm(1),
            width=24,
        ),
    ]
