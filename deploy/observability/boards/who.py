"""Who may be here, who is, and who is told: rows of the dashboard of delivery."""

from deploy.observability.panel import Panel
from deploy.observability.panels import heat, lines, states
from deploy.observability.queries import Metrics
from deploy.observability.steps import GREEN, RED

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')


def control() -> list[Panel]:
    """Who may be here."""
    of = _gateways
    return [
        states(
            "Known who may be here",
            "While it is not, the gateway lets nobody do anything. It reads the CONTROL stream for it.",
            {"{{instance}}": of.of("parley_gateway_control_current")},
            {"0": ("NOT KNOWN", RED), "1": ("known", GREEN)},
            width=8,
            runbooks=["ParleyGatewayNotCurrent"],
        ),
        lines(
            "Revocations and changes of members",
            "A second, by kind, heard by all gateways together.",
            "cps",
            {"{{kind}}": of.rate("parley_gateway_control_messages_total", "kind")},
        ),
        heat(
            "Until they took effect",
            "From being stored to having taken effect here: how long somebody who was put out still reads.",
            "s",
            of.buckets("parley_gateway_control_latency_seconds"),
            runbooks=["ParleyRevocationsSlow"],
        ),
        lines(
            "Sessions ended, members put out",
            "A second: connections closed because their token was `revoked` or `expired`, and put out of private"
            " rooms.",
            "cps",
            {
                "{{reason}}": of.rate("parley_gateway_sessions_ended_total", "reason"),
                "put out of a room": of.rate("parley_gateway_removals_total"),
            },
            width=24,
        ),
    ]


def presence() -> list[Panel]:
    """Who is here."""
    of = _gateways
    return [
        states(
            "Hears its own heartbeats",
            "A gateway that does not takes no other for dead, and shows people online that have gone.",
            {"{{instance}}": of.of("parley_gateway_presence_deaf")},
            {"0": ("yes", GREEN), "1": ("DEAF", RED)},
            width=8,
            runbooks=["ParleyPresenceDeaf"],
        ),
        lines(
            "Other gateways known to live",
            "Of each: all should say the same, one less than there are. Dropped: their lease ran out, and"
            " their users went offline for the others.",
            "short",
            {
                "{{instance}}": of.of("parley_gateway_presence_peers"),
                "dropped": of.increase("parley_gateway_presence_peers_dropped_total"),
            },
            runbooks=["ParleyPresencePeersDropped", "ParleyPresencePeersDisagree"],
        ),
        lines(
            "Users present",
            "In rooms, each once in every room of each gateway.",
            "short",
            {"{{instance}}": of.of("parley_gateway_present")},
        ),
        lines(
            "Presence said",
            "Published a second, by kind. `changed` follows joins and leaves; `snapshot` answers gateways that are"
            " new to a room.",
            "cps",
            {"{{kind}}": of.rate("parley_gateway_presence_said_total", "kind")},
            width=12,
        ),
        lines(
            "Presence heard",
            "Received a second, by kind.",
            "cps",
            {"{{kind}}": of.rate("parley_gateway_presence_heard_total", "kind")},
            width=12,
        ),
    ]


def notifications() -> list[Panel]:
    """What backends say to users."""
    of = _gateways
    return [
        lines(
            "Notifications from backends",
            "A second, by result.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_notified_total", "result")},
            width=12,
        ),
        lines(
            "Questions for what is kept",
            "For users who came, a second, by result; many users go into one question. `unavailable`: they get it"
            " later.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_notification_questions_total", "result")},
            width=12,
        ),
    ]
