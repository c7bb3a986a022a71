"""NATS and JetStream, as nats-server tells of itself."""

from deploy.observability.board import board as made
from deploy.observability.boards import jetstream
from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number, rows, states
from deploy.observability.queries import WINDOW, Metrics
from deploy.observability.shared import nats_client
from deploy.observability.steps import BLUE, GREEN, RED, alarm

UID = "parley-nats"

_servers = Metrics('job="parley-nats",instance=~"$instance"')
_clients = Metrics('job=~"parley-(gateway|auth|history)"')
_LED = 'is_stream_leader="true"'
_LED_CONSUMER = 'is_consumer_leader="true"'


def board() -> str:
    """Servers, streams, consumers."""
    return made(
        UID,
        "Parley / NATS and JetStream",
        "All that Parley does goes through here. Numbers of servers are from prometheus-nats-exporter; a server that"
        " is silent keeps its last ones, so look at health first.",
        {
            "Is it well?": _well(),
            "Servers": _server(),
            "JetStream": jetstream.streams(),
            "As the services see it": [*nats_client(_clients), *jetstream.certificates()],
        },
        instances='gnatsd_varz_connections{job="parley-nats"}',
    )


def _well() -> list[Panel]:
    of = _servers
    used, most = of.of("gnatsd_varz_jetstream_stats_storage"), of.of("gnatsd_varz_jetstream_config_max_storage")
    return [
        number(
            "Servers that are well",
            "By their own health check (JetStream's streams and consumers are up to date), of those there are. Of"
            " three, one may be away; of two away, nothing is acknowledged.",
            "percentunit",
            "avg(gnatsd_healthz_status_value) or vector(0)",
            steps=((RED, 0), ("yellow", 0.6), (GREEN, 1)),
            width=4,
            runbooks=["ParleyNatsUnhealthy"],
        ),
        number(
            "Storage used",
            "Of what JetStream may use, on the fullest server. Full, it refuses messages until old ones have aged"
            " out, and may need a restart: see the runbook.",
            "percentunit",
            f"max({used} / {most})",
            steps=alarm(0.9, warn=0.75),
            width=4,
            empty="no exporter",
            runbooks=["ParleyJetStreamStorageHigh"],
        ),
        number(
            "Messages in MESSAGES",
            "What the stream keeps for MESSAGES_MAX_AGE_DAYS, persisted or not.",
            "short",
            of.max("jetstream_stream_total_messages", only=f'stream_name="MESSAGES",{_LED}'),
            steps=((BLUE, 0),),
            width=4,
            empty="no stream",
        ),
        number(
            "History's consumer is behind",
            "Messages of the stream that it has not been given yet.",
            "short",
            of.max("jetstream_consumer_num_pending", only=f'stream_name="MESSAGES",{_LED_CONSUMER}'),
            steps=alarm(50_000, warn=5_000),
            width=4,
            empty="no consumer",
            runbooks=["ParleyHistoryConsumerLagging"],
        ),
        number(
            "Slow consumers, last hour",
            "Connections that nats-server cut for reading too slowly: a gateway whose loop hangs. It comes back, and"
            " heals its rooms.",
            "none",
            of.increase("gnatsd_varz_slow_consumers", over="1h"),
            steps=alarm(10, warn=0.01),
            width=4,
            decimals=0,
            empty="no exporter",
            runbooks=["ParleyNatsSlowConsumers"],
        ),
        number(
            "Streams without a leader",
            "Nothing is stored in them: a majority of their servers is away.",
            "none",
            "count((max by (stream_name) (jetstream_stream_total_messages)) unless"
            f" (max by (stream_name) (jetstream_stream_total_messages{{{_LED}}}))) or vector(0)",
            steps=alarm(1),
            width=4,
            runbooks=["ParleyStreamNoLeader"],
        ),
    ]


def _server() -> list[Panel]:
    of = _servers

    def rate(name: str) -> str:
        return f"rate({of.of(name)}[{WINDOW}])"

    return [
        states(
            "Health",
            "What each server says of itself; `unreachable` is a server that is dead or hangs.",
            {"{{instance}} {{value}}": of.of("gnatsd_healthz_status_value")},
            {"0": ("NOT WELL", RED), "1": ("well", GREEN)},
            width=8,
            runbooks=["ParleyNatsUnhealthy"],
        ),
        lines(
            "Messages in and out",
            "A second. What goes out is what comes in, times the gateways with members of a room.",
            "cps",
            {"{{instance}} in": rate("gnatsd_varz_in_msgs"), "{{instance}} out": rate("gnatsd_varz_out_msgs")},
        ),
        lines(
            "Bytes in and out",
            "A second. Compare with the node's network.",
            "Bps",
            {"{{instance}} in": rate("gnatsd_varz_in_bytes"), "{{instance}} out": rate("gnatsd_varz_out_bytes")},
        ),
        lines(
            "Connections and subscriptions",
            "Each process has one connection; each open room of a gateway, and each user, a subscription.",
            "short",
            {
                "{{instance}} connections": of.of("gnatsd_varz_connections"),
                "{{instance}} subscriptions": of.of("gnatsd_varz_subscriptions"),
            },
            logarithmic=True,
            width=6,
        ),
        lines(
            "CPU",
            "In cores. Above what the pod asks for, storing takes longer.",
            "none",
            {"{{instance}}": f"{of.of('gnatsd_varz_cpu')} / 100"},
            width=6,
        ),
        lines(
            "Memory",
            "What nats-server holds.",
            "bytes",
            {"{{instance}}": of.of("gnatsd_varz_mem")},
            width=6,
            runbooks=["ParleyNatsMemoryHigh"],
        ),
        lines(
            "Waiting to be read",
            "Bytes that wait for all connections; of one, up to max_pending (64 MiB): then it is cut.",
            "bytes",
            {"{{instance}}": of.of("gnatsd_connz_pending_bytes")},
            width=6,
        ),
        lines(
            "Slow consumers cut",
            "Connections that nats-server cut for reading too slowly, a second. They come back and heal their rooms.",
            "cps",
            {"{{instance}}": rate("gnatsd_varz_slow_consumers")},
            runbooks=["ParleyNatsSlowConsumers"],
        ),
        lines(
            "Routes",
            "To the other servers of the cluster: several to each. Less than before is a server that is cut off; of a"
            " single server there are none.",
            "short",
            {"{{instance}}": of.of("gnatsd_routez_num_routes")},
            runbooks=["ParleyNatsClusterIncomplete"],
        ),
        rows(
            "Versions",
            "Of the servers. Different ones for longer than an upgrade takes are one that got stuck.",
            of.max("gnatsd_varz_version", "instance", "value"),
            {"instance": "Instance", "value": "Version"},
            width=8,
        ),
    ]
