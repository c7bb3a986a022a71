"""What clients get from a gateway: rows of its dashboard."""

from deploy.observability.panel import Panel
from deploy.observability.panels import heat, lines, rows, states
from deploy.observability.queries import Metrics
from deploy.observability.steps import GREEN, YELLOW, alarm

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')


def got() -> list[Panel]:
    """Latency, and how much."""
    of = _gateways
    return [
        heat(
            "Delivery latency",
            "From a message being stored to its having been written to the members. The target is 99 % under 250 ms.",
            "s",
            of.buckets("parley_gateway_delivery_latency_seconds"),
            runbooks=["ParleyDeliverySloBurn"],
        ),
        lines(
            "Fan-out",
            "From the first that waits to be sent in a room to all of it having been written to all members. It"
            " grows with the room and with a busy loop.",
            "s",
            {
                "p99": of.quantile(0.99, "parley_gateway_fan_out_duration_seconds"),
                "p50": of.quantile(0.5, "parley_gateway_fan_out_duration_seconds"),
            },
            steps=alarm(0.25),
        ),
        lines(
            "Deliveries",
            "Events handed to connections a second, by name: this is what a gateway's CPU goes for.",
            "cps",
            {"{{event}}": of.rate("parley_gateway_deliveries_total", "event")},
            stacked=True,
        ),
        lines(
            "Packets",
            "From and to clients, a second; pings among them.",
            "pps",
            {
                "in": of.rate("parley_gateway_received_packets_total"),
                "out": of.rate("parley_gateway_sent_packets_total"),
            },
        ),
        lines(
            "Bytes",
            "From and to clients, and live from NATS, a second. Compare with what the node's network can carry.",
            "Bps",
            {
                "in": of.rate("parley_gateway_received_bytes_total"),
                "out": of.rate("parley_gateway_sent_bytes_total"),
                "from NATS": of.rate("parley_gateway_live_received_bytes_total"),
            },
        ),
        lines(
            "Live from NATS",
            "What NATS brings a second, by kind: each room's messages once for each gateway that has members of it.",
            "cps",
            {"{{kind}}": of.rate("parley_gateway_live_received_total", "kind")},
        ),
    ]


def slow() -> list[Panel]:
    """Who reads too slowly."""
    of = _gateways
    return [
        lines(
            "Slow readers",
            "Connections that read more slowly than they are sent to, and for which something waits.",
            "short",
            {"{{instance}}": of.of("parley_gateway_slow_readers")},
        ),
        lines(
            "Unsent bytes",
            "What waits for them. Up to UNSENT_TOTAL_MOST_BYTES (256 MiB): then the slowest are closed.",
            "bytes",
            {"{{instance}}": of.of("parley_gateway_unsent_bytes")},
            steps=alarm(256 * 2**20, warn=128 * 2**20),
        ),
        lines(
            "Slow readers closed, events let go",
            "A second. Closed: `behind`, `stalled`, `overload`; they come back and catch up. Let go: typing and"
            " events that a `newer` one replaced, or for which there was `no_room`.",
            "cps",
            {
                "closed: {{reason}}": of.rate("parley_gateway_slow_readers_closed_total", "reason"),
                "let go: {{reason}}": of.rate("parley_gateway_superseded_total", "reason"),
            },
            runbooks=["ParleySlowReadersClosed"],
        ),
    ]


def end() -> list[Panel]:
    """A gateway that was told to end."""
    of = _gateways
    return [
        states(
            "Draining",
            "A gateway that was told to end closes its connections over DRAIN_SECONDS, and ends by itself 15 s later"
            " at the latest.",
            {"{{instance}}": of.of("parley_gateway_draining")},
            {"0": ("serves", GREEN), "1": ("drains", YELLOW)},
            width=8,
        ),
        lines(
            "Connections closed by drains",
            "A second: `ok`, or `unanswered`, whose last event took too long.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_drained_connections_total", "result")},
            width=8,
        ),
        rows(
            "Limits as configured",
            "How many there may be, or how many a second; 0 is none. Gateways that differ were configured apart.",
            of.max("parley_gateway_limit", "limit"),
            {"limit": "Limit", "Value": "Most"},
            unit="short",
            width=8,
        ),
    ]
