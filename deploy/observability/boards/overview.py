"""Whether users are hurt, by what, and since when."""

from deploy.observability.board import board as made
from deploy.observability.boards import levels
from deploy.observability.panel import Panel
from deploy.observability.panels import heat, lines, number
from deploy.observability.queries import Metrics, or_none
from deploy.observability.shared import limits
from deploy.observability.steps import BLUE, alarm, floor

UID = "parley-overview"

_all = Metrics()
_ours = Metrics('job=~"parley-(gateway|auth|history)"')
_BURNS = ("5m", "30m", "1h", "6h", "3d")


def board() -> str:
    """The dashboard that everybody opens first."""
    about = "Are users hurt? By what, and since when? Begin here; the other dashboards say why."
    return made(
        UID,
        "Parley / Overview",
        about,
        {
            "Are users hurt?": _hurt(),
            "Service levels (30 days: 99 % of messages under 250 ms, 99.9 % of connects)": levels.levels(),
            "What users do": _use(),
            "What is near its limit": limits(_ours, worst=5),
            "What runs": levels.runs(),
        },
    )


def _hurt() -> list[Panel]:
    unsure = _all.rate(
        "parley_gateway_events_total", only='event="message",result=~"unavailable|internal"', over="5m"
    )
    sent = _all.rate("parley_gateway_events_total", only='event="message"', over="5m")
    return [
        number(
            "Messages under 250 ms",
            "Of the last 5 minutes, from being stored to being written to the members, holes that were filled"
            " too. Below 99 % users wait: look at event-loop lag, NATS and unsent bytes.",
            "percentunit",
            "1 - parley:delivery_slow:ratio_rate5m",
            steps=floor(0.99, warn=0.98),
            decimals=2,
            runbooks=["ParleyDeliverySloBurn"],
        ),
        number(
            "Connects let in",
            "Of the last 5 minutes, clients with bad tokens apart. Below 99.9 % somebody cannot come in: look at"
            " auth, NATS, and how full the gateways are.",
            "percentunit",
            "1 - parley:connect_failed:ratio_rate5m",
            steps=floor(0.999, warn=0.99),
            decimals=2,
            runbooks=["ParleyConnectSloBurn"],
        ),
        number(
            "Messages without an answer",
            "Share of messages in the last 5 minutes whose senders were told `unavailable` or `internal`: they do not"
            " know whether it is stored, and send it again. Above nothing, look at NATS and JetStream's storage.",
            "percentunit",
            f"{unsure} / {sent}",
            steps=alarm(0.001, warn=1e-9),
            decimals=2,
            runbooks=["ParleyRequestsFailing", "ParleyMessagesRefused"],
        ),
        number(
            "Holes not filled, last hour",
            "Messages that gateways could not get from the stream for members, who have to join again. Any is a page:"
            " see Delivery integrity.",
            "none",
            _all.increase("parley_gateway_gaps_unhealable_total", over="1h"),
            steps=alarm(0.01),
            decimals=0,
            empty="no gateway",
            runbooks=["ParleyGapsUnhealable"],
        ),
        number(
            "Gateways that serve nobody",
            "They do not know who has been signed out (the CONTROL stream cannot be read), and so let nobody do"
            " anything. Any is a page.",
            "none",
            "count(parley_gateway_control_current == 0) or (0 * count(parley_gateway_control_current))",
            steps=alarm(1),
            empty="no gateway",
            runbooks=["ParleyGatewayNotCurrent"],
        ),
        number(
            "Alerts firing",
            "How many of any severity; which ones: below, with their runbooks.",
            "none",
            or_none('count(ALERTS{alertstate="firing"})'),
            steps=alarm(3, warn=1),
        ),
        number(
            "Connections",
            "Clients connected and verified, on all gateways. A cliff is a disconnect of many; what follows it is a"
            " reconnect storm.",
            "short",
            "parley:connections:sum",
            steps=((BLUE, 0),),
            empty="no gateway",
            runbooks=["ParleyGatewaysUneven"],
        ),
        number(
            "History is behind by",
            "Age of the oldest message that is in the stream and not yet in MongoDB. Nothing is lost while the stream"
            " keeps it; above a minute history does not keep up.",
            "s",
            _all.max("parley_history_lag_seconds"),
            steps=alarm(60, warn=10),
            empty="no history",
            runbooks=["ParleyHistoryLagging"],
        ),
    ]


def _use() -> list[Panel]:
    return [
        lines(
            "Connections",
            "On all gateways, and on the fullest and the emptiest of them. These should be alike: new ones fill"
            " slowly.",
            "short",
            {
                "all": "parley:connections:sum",
                "fullest gateway": _all.max("parley_gateway_connections"),
                "emptiest gateway": f"min ({_all.of('parley_gateway_connections')})",
            },
            logarithmic=True,
            runbooks=["ParleyGatewaysUneven"],
        ),
        lines(
            "Connects",
            "Attempts a second, by result. `unauthorized`, `expired`, `forbidden` and `invalid` are the clients' own;"
            " everything else but `ok` is ours. A burst of `ok` is a reconnect storm: find out who dropped them.",
            "cps",
            {"{{result}}": _all.rate("parley_gateway_connects_total", "result")},
            stacked=True,
            runbooks=["ParleyReconnectStorm"],
        ),
        lines(
            "Messages and deliveries",
            "Messages stored a second, and what was handed to connections for them and for everything else."
            " Deliveries are what costs.",
            "cps",
            {"messages stored": "parley:messages:rate5m", "deliveries": "parley:deliveries:rate5m"},
            logarithmic=True,
        ),
        lines(
            "Delivery latency",
            "From a message being stored to its having been written to the members of its room. Half a second at p99"
            " is noticed by those who talk.",
            "s",
            {"p99": "parley:delivery_latency:p99_rate5m", "p50": "parley:delivery_latency:p50_rate5m"},
            steps=alarm(0.25),
            runbooks=["ParleyDeliverySloBurn"],
        ),
        heat(
            "Delivery latency, all of it",
            "How many messages took how long. Two bands are two kinds of rooms or gateways: see Gateway, one at a"
            " time.",
            "s",
            _all.buckets("parley_gateway_delivery_latency_seconds"),
        ),
        lines(
            "What clients were refused",
            "Events a second that were not answered `ok`, by code. `rate_limited` is a client that asks for too much,"
            " or a gateway at its limit of publishes; `unavailable` and `internal` are ours.",
            "cps",
            {"{{result}}": _all.rate("parley_gateway_events_total", "result", only='result!="ok"')},
            runbooks=["ParleyRequestsFailing"],
        ),
    ]
