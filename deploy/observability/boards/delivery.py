"""Delivery integrity: whether everybody gets everything, once, in order, and only those who may."""

from deploy.observability.board import board as made
from deploy.observability.boards import who
from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number
from deploy.observability.queries import Metrics
from deploy.observability.steps import alarm

UID = "parley-delivery"

_gateways = Metrics('job="parley-gateway",instance=~"$instance"')


def board() -> str:
    """The promise, as the gateways keep it."""
    return made(
        UID,
        "Parley / Delivery integrity",
        "Does everybody get everything, once, in order - and only those who may? Holes are usual and are filled; a"
        " hole that is not filled is a page.",
        {
            "Is the promise kept?": _promise(),
            "Holes": _holes(),
            "Coming back": _back(),
            "Who may be here": who.control(),
            "Presence": who.presence(),
            "Notifications": who.notifications(),
        },
        instances='parley_build_info{job="parley-gateway"}',
    )


def _promise() -> list[Panel]:
    of = _gateways

    def in_range(name: str, only: str = "") -> str:
        return of.increase(name, only=only, over="$__range")

    lost = 'verdict!~"complete|truncated|gone"'
    return [
        number(
            "Holes not filled",
            "In the time shown. Members of the room have to join again with `after`. Any is a page.",
            "none",
            in_range("parley_gateway_gaps_unhealable_total"),
            steps=alarm(0.01),
            width=4,
            decimals=0,
            empty="no gateway",
            runbooks=["ParleyGapsUnhealable"],
        ),
        number(
            "Holes open now",
            "Being filled. For longer than seconds the stream does not answer.",
            "none",
            of.sum("parley_gateway_gaps_open"),
            steps=alarm(1),
            width=4,
            decimals=0,
            empty="no gateway",
        ),
        number(
            "Joins that could not catch up",
            "In the time shown: joins with `after` that were answered with an error. The clients try again.",
            "none",
            in_range("parley_gateway_resumes_total", lost),
            steps=alarm(10, warn=0.01),
            width=4,
            decimals=0,
            empty="no gateway",
            runbooks=["ParleyResumesFailing"],
        ),
        number(
            "Unreadable live messages",
            "In the time shown. Somebody else publishes to live.>, or versions that do not go together run.",
            "none",
            in_range("parley_gateway_live_unreadable_total"),
            steps=alarm(0.01),
            width=4,
            decimals=0,
            empty="no gateway",
        ),
        number(
            "Slow readers closed",
            "In the time shown. They come back and catch up; many at once are a gateway that cannot write, or a room"
            " that is too lively for phones.",
            "none",
            in_range("parley_gateway_slow_readers_closed_total"),
            steps=alarm(100, warn=1),
            width=4,
            decimals=0,
            empty="no gateway",
        ),
        number(
            "Duplicates kept out",
            "In the time shown: messages sent again that were stored already. It is what the promise is for; many are"
            " clients whose acknowledgements get lost.",
            "none",
            in_range("parley_gateway_publish_duration_seconds_count", 'result="duplicate"'),
            width=4,
            decimals=0,
            empty="no gateway",
        ),
    ]


def _holes() -> list[Panel]:
    of = _gateways
    return [
        lines(
            "Holes",
            "A second: found in what NATS brought live, filled from the stream, given up. Found with a reconnect to"
            " NATS is usual; found all the time is a NATS that drops, or a gateway that reads too slowly.",
            "cps",
            {
                "found": of.rate("parley_gateway_gaps_found_total"),
                "healed": of.rate("parley_gateway_gaps_healed_total"),
                "unhealable": of.rate("parley_gateway_gaps_unhealable_total"),
            },
            runbooks=["ParleyGapsMany", "ParleyGapsUnhealable"],
        ),
        lines(
            "Quiet rooms asked about",
            "A second. `behind`: it had missed something that no later message showed; `unavailable`: the stream did"
            " not answer.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_quiet_checks_total", "result")},
        ),
        lines(
            "Messages stored, and duplicates",
            "A second, by the stream's answer. `refused`: it is full - storage or MESSAGES_MAX_BYTES.",
            "cps",
            {"{{result}}": of.rate("parley_gateway_publish_duration_seconds_count", "result")},
            runbooks=["ParleyMessagesRefused"],
        ),
    ]


def _back() -> list[Panel]:
    of = _gateways
    return [
        lines(
            "Joins with `after`",
            "A second, by how they ended. `truncated` missed more than 500 and page back through history;"
            " `unavailable` could not be told in time and try again.",
            "cps",
            {"{{verdict}}": of.rate("parley_gateway_resumes_total", "verdict")},
            runbooks=["ParleyResumesFailing"],
        ),
        lines(
            "Sessions wanted back",
            "A second, by outcome. All but `recovered` have to join again; many `unknown` after a restart of NATS:"
            " the bucket of sessions was lost.",
            "cps",
            {"{{outcome}}": of.rate("parley_gateway_recoveries_total", "outcome")},
            runbooks=["ParleyRecoveriesUnavailable"],
        ),
        lines(
            "Being told what they missed",
            "Joins under way. Many that stay are a stream that is slow to read, or clients that are.",
            "short",
            {"{{instance}}": of.of("parley_gateway_resuming")},
        ),
        lines(
            "Memory for those who come back",
            "What keeps messages that several of them want. It is let go again when memory is short.",
            "bytes",
            {"{{instance}}": of.of("parley_gateway_replay_bytes")},
        ),
        lines(
            "Where it was read",
            "Parts a second: from `history`, the `stream`, or `memory`, because another had just had them read. In a"
            " reconnect storm most should be memory.",
            "cps",
            {"{{source}}": of.rate("parley_gateway_resume_reads_total", "source")},
        ),
        lines(
            "Slow readers",
            "Closed, a second, by reason; and events that slow readers did not get.",
            "cps",
            {
                "closed: {{reason}}": of.rate("parley_gateway_slow_readers_closed_total", "reason"),
                "let go: {{reason}}": of.rate("parley_gateway_superseded_total", "reason"),
            },
            runbooks=["ParleySlowReadersClosed"],
        ),
    ]
