"""What load costs, and what gives: rows of the dashboard of load tests."""

from deploy.observability.panel import Panel
from deploy.observability.panels import lines
from deploy.observability.queries import WINDOW, Metrics
from deploy.observability.steps import alarm

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')
_any = Metrics()


def _cpu() -> str:
    return f"sum(rate({_gateways.of('process_cpu_seconds_total')}[{WINDOW}]))"


def costs() -> list[Panel]:
    """CPU, memory, bytes."""
    of = _gateways
    resident = "process_resident_memory_bytes"
    return [
        lines(
            "CPU of each process",
            "In cores; an event loop has one. The first at 1 is the bottleneck.",
            "none",
            {
                "{{instance}}": f"rate({of.of('process_cpu_seconds_total')}[{WINDOW}])",
                "{{job}}": "sum by (job)"
                f' (rate(process_cpu_seconds_total{{job=~"parley-(auth|history)"}}[{WINDOW}]))',
                "nats {{instance}}": "gnatsd_varz_cpu / 100",
            },
            steps=alarm(0.9),
        ),
        lines(
            "CPU a delivery",
            "Of the gateways, connects and pings included: only a busy run says something.",
            "s",
            {"a delivery": f"{_cpu()} / ({of.rate('parley_gateway_deliveries_total')} > 0)"},
            logarithmic=True,
        ),
        lines(
            "Memory of each gateway",
            "What it holds.",
            "bytes",
            {"{{instance}}": of.of(resident)},
        ),
        lines(
            "Memory a connection",
            "What each gateway holds in all over its connections: with few, it is the interpreter's own 100 MiB.",
            "bytes",
            {"{{instance}}": f"{of.of(resident)} / ({of.of('parley_gateway_connections')} > 0)"},
            logarithmic=True,
        ),
        lines(
            "Bytes to and from clients",
            "A second.",
            "Bps",
            {"in": of.rate("parley_gateway_received_bytes_total"), "out": of.rate("parley_gateway_sent_bytes_total")},
        ),
        lines(
            "Open files",
            "Every connection is one. Here, no process may have more than its limit.",
            "short",
            {"{{instance}}": of.of("process_open_fds"), "{{instance}} limit": of.of("process_max_fds")},
            logarithmic=True,
        ),
    ]


def gives() -> list[Panel]:
    """What shows that it is too much."""
    of = _gateways
    return [
        lines(
            "Event-loop lag, p99",
            "Of each gateway. It rises before anything else gives.",
            "s",
            {"{{instance}}": of.quantile(0.99, "parley_event_loop_lag_seconds", "instance")},
            steps=alarm(0.25, warn=0.1),
        ),
        lines(
            "Messages in flight",
            "To the stream, and how many there may be.",
            "short",
            {
                "{{instance}}": of.of("parley_gateway_publishes_in_flight"),
                "{{instance}} limit": of.of("parley_gateway_publishes_in_flight_limit"),
            },
            logarithmic=True,
        ),
        lines(
            "Unsent bytes",
            "What waits for clients that read too slowly; the load generator may be the slow one.",
            "bytes",
            {"{{instance}}": of.of("parley_gateway_unsent_bytes")},
        ),
        lines(
            "Let go, cut, refused",
            "A second. All but limits should stay at nothing.",
            "cps",
            {
                "events let go: {{reason}}": of.rate("parley_gateway_superseded_total", "reason"),
                "slow readers closed: {{reason}}": of.rate("parley_gateway_slow_readers_closed_total", "reason"),
                "NATS messages let go": _any.rate("parley_nats_slow_consumers_total"),
                "cut by NATS": f"sum(rate(gnatsd_varz_slow_consumers[{WINDOW}]))",
                "events refused: {{result}}": of.rate("parley_gateway_events_total", "result", only='result!="ok"'),
            },
        ),
        lines(
            "Limits hit",
            "A second, by limit: lift them for a load test, or the load is not what you think.",
            "cps",
            {"{{limit}}": of.rate("parley_gateway_limited_total", "limit")},
        ),
        lines(
            "History behind",
            "Messages. It may fall behind in a run, and catches up after it.",
            "short",
            {"messages": _any.max("parley_history_lag_messages")},
        ),
    ]
