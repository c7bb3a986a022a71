"""Gateways: who is connected, what they send and get, and what holds it up."""

from deploy.observability.board import board as made
from deploy.observability.boards import sending
from deploy.observability.panel import Panel
from deploy.observability.panels import lines
from deploy.observability.queries import Metrics
from deploy.observability.shared import limits, nats_client, process
from deploy.observability.steps import alarm

UID = "parley-gateway"

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')


def board() -> str:
    """One gateway, some, or all."""
    return made(
        UID,
        "Parley / Gateway",
        "One gateway, some, or all: choose above. Compare them: what only one shows is its own trouble.",
        {
            "Clients": _clients(),
            "What clients send": _sent(),
            "What clients get": sending.got(),
            "Who reads too slowly": sending.slow(),
            "The end, and limits": sending.end(),
            "Limits": limits(_gateways),
            "NATS": nats_client(_gateways),
            "The process": process(_gateways),
        },
        instances='parley_build_info{job="parley-gateway"}',
    )


def _clients() -> list[Panel]:
    of = _gateways
    full = f"{of.of('parley_gateway_sessions')} / ({of.of('parley_gateway_connections_limit')} > 0)"
    return [
        lines(
            "Connections",
            "Clients connected and verified. Gateways far apart for long: see the runbook of skew.",
            "short",
            {"{{instance}}": of.of("parley_gateway_connections")},
            runbooks=["ParleyGatewaysUneven"],
        ),
        lines(
            "Share of the sessions there may be",
            "Of those let in or not (CONNECTIONS_MOST). At 1 nobody gets in; readiness ends before.",
            "percentunit",
            {"{{instance}}": f"{full} or (0 * {of.of('parley_gateway_sessions')})"},
            steps=alarm(0.95, warn=0.8),
            most=1,
            runbooks=["ParleyGatewayNearlyFull", "ParleyGatewaysFull"],
        ),
        lines(
            "Rooms, users, subscriptions",
            "Each room and each user is a subscription to NATS: how much this gateway listens to.",
            "short",
            {
                "rooms": of.sum("parley_gateway_rooms"),
                "users": of.sum("parley_gateway_users"),
                "subscriptions": of.sum("parley_gateway_subscriptions"),
            },
        ),
        lines(
            "Connects",
            "Attempts a second, by result. `rate_limited` and `unavailable` are ours: too many at once, or auth does"
            " not answer.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_connects_total", "result")},
            stacked=True,
            runbooks=["ParleyReconnectStorm"],
        ),
        lines(
            "Disconnects",
            "A second, by reason. Many `ping_timeout` are a network that swallows; many `transport_close` at once"
            " are a load balancer that ended.",
            "cps",
            {"{{reason}}": of.rate("parley_gateway_disconnects_total", "reason")},
            stacked=True,
        ),
        lines(
            "Ping round trip",
            "How long clients take to answer a ping: the network, and how busy this gateway's loop is. All gateways"
            " at once: the network; one: its loop.",
            "s",
            {
                "p99": of.quantile(0.99, "parley_gateway_ping_round_trip_seconds"),
                "p50": of.quantile(0.5, "parley_gateway_ping_round_trip_seconds"),
            },
        ),
    ]


def _sent() -> list[Panel]:
    of = _gateways
    return [
        lines(
            "Events",
            "What clients ask for, a second, whatever the answer.",
            "cps",
            {"{{event}}": of.rate("parley_gateway_events_total", "event")},
        ),
        lines(
            "Events that were refused",
            "A second, by event and code. `unavailable` and `internal` are ours.",
            "cps",
            {"{{event}} {{result}}": of.rate("parley_gateway_events_total", "event", "result", only='result!="ok"')},
            runbooks=["ParleyRequestsFailing"],
        ),
        lines(
            "Limits that were hit",
            "A second: what was refused or made to wait because of a limit, by which one. One client, or a limit"
            " that is too low for all.",
            "cps",
            {"{{limit}}": of.rate("parley_gateway_limited_total", "limit")},
        ),
        lines(
            "Time to store a message",
            "From publishing to the stream's answer, by result, p99. It is what senders wait for. All of NATS: its"
            " disks; one gateway: its loop.",
            "s",
            {
                "{{result}} p99": of.quantile(0.99, "parley_gateway_publish_duration_seconds", "result"),
                "all p50": of.quantile(0.5, "parley_gateway_publish_duration_seconds"),
            },
            steps=alarm(0.25),
        ),
        lines(
            "Messages on their way to the stream",
            "Published and not yet answered, and how many there may be; above it the answer is `rate_limited`. It"
            " fills when NATS is slow.",
            "short",
            {
                "{{instance}}": of.of("parley_gateway_publishes_in_flight"),
                "{{instance}} limit": of.of("parley_gateway_publishes_in_flight_limit"),
            },
            logarithmic=True,
            runbooks=["ParleyPublishesPiledUp"],
        ),
        lines(
            "Messages over HTTP",
            "A second, by whom and result. Backends that run wild are held at a quarter of what may be on its way.",
            "cps",
            {"{{by}} {{result}}": of.rate("parley_gateway_posts_total", "by", "result")},
        ),
        lines(
            "What was none",
            "A second: packets and requests that could not be understood, handshakes refused while a gateway ends. A"
            " flood is a scanner, or a client of another protocol version.",
            "cps",
            {
                "packets": of.rate("parley_gateway_malformed_packets_total"),
                "requests": of.rate("parley_gateway_malformed_requests_total"),
                "handshakes refused": of.rate("parley_gateway_handshakes_refused_total"),
            },
        ),
        lines(
            "HTTP connections",
            "Those of polling clients and of the API.",
            "short",
            {"{{instance}}": of.of("parley_gateway_http_connections")},
        ),
        lines(
            "HTTP connections closed",
            "A second: `no_request` and `request` took too long, `too_many` were idle when there were more than"
            " there may be.",
            "cps",
            {"{{reason}}": of.rate("parley_gateway_http_closed_total", "reason")},
        ),
    ]
