"""JetStream, and certificates for NATS: rows of its dashboard."""

from deploy.observability.panel import Panel
from deploy.observability.panels import lines
from deploy.observability.queries import WINDOW, Metrics

_servers = Metrics('job="parley-nats",instance=~"$instance"')
_clients = Metrics('job=~"parley-(gateway|auth|history)"')
_LED = 'is_stream_leader="true"'
_LED_CONSUMER = 'is_consumer_leader="true"'


def streams() -> list[Panel]:
    """Storage, streams, consumers."""
    of = _servers
    return [
        lines(
            "Storage",
            "Used by JetStream, set aside for streams, and what there may be.",
            "bytes",
            {
                "{{instance}} used": of.of("gnatsd_varz_jetstream_stats_storage"),
                "{{instance}} set aside": of.of("gnatsd_varz_jetstream_stats_reserved_storage"),
                "{{instance}} limit": of.of("gnatsd_varz_jetstream_config_max_storage"),
            },
            runbooks=["ParleyJetStreamStorageHigh"],
        ),
        lines(
            "Bytes of each stream",
            "As its leader has it.",
            "bytes",
            {"{{stream_name}}": of.max("jetstream_stream_total_bytes", "stream_name", only=_LED)},
            runbooks=["ParleyStreamNearlyFull"],
        ),
        lines(
            "Messages of each stream",
            "As its leader has it. MESSAGES falls only by age; a fall to nothing is a stream that was made again.",
            "short",
            {"{{stream_name}}": of.max("jetstream_stream_total_messages", "stream_name", only=_LED)},
            runbooks=["ParleyStreamMissing"],
        ),
        lines(
            "Stored",
            "Messages a second, by stream.",
            "cps",
            {
                "{{stream_name}}": (
                    f"max by (stream_name) (rate({of.of('jetstream_stream_last_seq', _LED)}[{WINDOW}]))"
                ),
            },
        ),
        lines(
            "Consumers",
            "Waiting to be given, given and not acknowledged, given again. Given again are history instances that"
            " died, or MongoDB writes that take longer than ack_wait.",
            "short",
            {
                f"{{{{stream_name}}}}/{{{{consumer_name}}}} {says}": of.max(
                    f"jetstream_consumer_{name}", "stream_name", "consumer_name", only=_LED_CONSUMER
                )
                for says, name in (
                    ("waiting", "num_pending"),
                    ("not acknowledged", "num_ack_pending"),
                    ("given again", "num_redelivered"),
                )
            },
            runbooks=["ParleyHistoryConsumerLagging"],
        ),
        lines(
            "JetStream's API",
            "Calls a second, and those that were answered with an error. To ask for what is not there yet, such as"
            " the last message of a new room, is one: they rise with use, and say something only when use does not.",
            "cps",
            {
                "{{instance}} calls": f"rate({of.of('gnatsd_varz_jetstream_stats_api_total')}[{WINDOW}])",
                "{{instance}} failed": f"rate({of.of('gnatsd_varz_jetstream_stats_api_errors')}[{WINDOW}])",
            },
        ),
    ]


def certificates() -> list[Panel]:
    """Of the services, for NATS."""
    # Without TLS there is nothing to end, which is something else than a panel that is broken.
    none = 'label_replace(label_replace(vector(0), "use", "no TLS", "", ""), "job", "parley", "", "")'
    expiry = _clients.of("parley_tls_certificate_expiry_timestamp_seconds")
    return [
        lines(
            "Certificates end in",
            "Those that the services use for NATS, by use; the one that ends first of each service. Without TLS:"
            " none.",
            "s",
            {"{{job}} {{use}}": f"(min by (job, use) ({expiry}) - time()) or {none}"},
            width=24,
            runbooks=["ParleyCertificateExpiring"],
        ),
    ]
