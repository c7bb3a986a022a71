"""A load test: how far it goes, what it costs, and what gives first."""

from deploy.observability.board import board as made
from deploy.observability.boards import costs
from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number
from deploy.observability.queries import WINDOW, Metrics
from deploy.observability.steps import BLUE, alarm, floor

UID = "parley-load"

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')
_any = Metrics()
_DELIVERED = "parley_gateway_delivery_latency_seconds"


def board() -> str:
    """To look at during a run."""
    return made(
        UID,
        "Parley / Load test",
        "To look at during a run: how far it goes, what it costs, and what gives first. Set the time to that of the"
        " run.",
        {
            "Now": _now(),
            "How far": _far(),
            "How fast": _fast(),
            "What it costs": costs.costs(),
            "What gives": costs.gives(),
        },
        instances='parley_build_info{job="parley-gateway"}',
        refresh="5s",
    )


def _cpu() -> str:
    return f"sum(rate({_gateways.of('process_cpu_seconds_total')}[{WINDOW}]))"


def _now() -> list[Panel]:
    of = _gateways
    return [
        number("Connections", "Verified, on the gateways chosen.", "short", of.sum("parley_gateway_connections"),
               steps=((BLUE, 0),), width=4, empty="no gateway"),
        number("Connects a second", "Let in.", "cps", of.rate("parley_gateway_connects_total", only='result="ok"'),
               steps=((BLUE, 0),), width=4),
        number("Messages a second", "Stored in the stream.", "cps",
               of.rate("parley_gateway_publish_duration_seconds_count", only='result="ok"'),
               steps=((BLUE, 0),), width=4),
        number("Deliveries a second", "Of all kinds.", "cps", of.rate("parley_gateway_deliveries_total"),
               steps=((BLUE, 0),), width=4),
        number("Delivery, p99", "From stored to handed to connections. The target is 250 ms.", "s",
               of.quantile(0.99, _DELIVERED), steps=alarm(0.25, warn=0.1), width=4),
        number("Messages under 250 ms", "Of the time shown. The target is 99 %.", "percentunit",
               of.increase(f"{_DELIVERED}_bucket", only='le="0.25"', over="$__range")
               + " / " + of.increase(f"{_DELIVERED}_count", over="$__range"),
               steps=floor(0.99, warn=0.98), width=4, decimals=2),
    ]  # fmt: skip


def _far() -> list[Panel]:
    of = _gateways
    return [
        lines(
            "Connections, the ramp",
            "Of each gateway, stacked. A ramp that bends has met a limit: see Connects by result and Limits hit.",
            "short",
            {"{{instance}}": of.of("parley_gateway_connections")},
            stacked=True,
        ),
        lines(
            "Connects by result",
            "A second. HANDSHAKES_PER_SECOND (500 a gateway) bounds them; a load generator is one address, so lift"
            " the limits of addresses.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_connects_total", "result")},
            stacked=True,
        ),
        lines(
            "What a connect waits for",
            "Auth's time to verify a token, and the gateway's loop, which does the rest. What the client sees is in"
            " the load generator's report.",
            "s",
            {
                "verify p99": _any.quantile(0.99, "parley_auth_request_duration_seconds", only='group="verify"'),
                "verify p50": _any.quantile(0.5, "parley_auth_request_duration_seconds", only='group="verify"'),
                "loop lag p99": of.quantile(0.99, "parley_event_loop_lag_seconds"),
            },
        ),
    ]


def _fast() -> list[Panel]:
    of = _gateways
    return [
        lines(
            "Messages and deliveries",
            "A second. Deliveries over messages is how large rooms are.",
            "cps",
            {
                "messages": of.rate("parley_gateway_publish_duration_seconds_count", only='result="ok"'),
                "deliveries": of.rate("parley_gateway_deliveries_total"),
                "persisted": _any.rate("parley_history_persisted_messages_total"),
            },
            logarithmic=True,
        ),
        lines(
            "Delivery latency",
            "From stored to handed to connections.",
            "s",
            {
                f"p{name}": of.quantile(share, _DELIVERED)
                for name, share in (("99.9", 0.999), ("99", 0.99), ("50", 0.5))
            },
            steps=alarm(0.25),
            logarithmic=True,
        ),
        lines(
            "Time to store, and to fan out",
            "What senders wait for; and from the first that waits in a room to all members having been written to.",
            "s",
            {
                "store p99": of.quantile(0.99, "parley_gateway_publish_duration_seconds"),
                "store p50": of.quantile(0.5, "parley_gateway_publish_duration_seconds"),
                "fan-out p99": of.quantile(0.99, "parley_gateway_fan_out_duration_seconds"),
            },
        ),
    ]
