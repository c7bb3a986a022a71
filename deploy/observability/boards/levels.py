"""Service levels, and what runs: rows of the overview."""

from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number, rows
from deploy.observability.steps import GREEN, RED, YELLOW, floor

_BURNS = ("5m", "30m", "1h", "6h", "3d")


def levels() -> list[Panel]:
    """Error budgets, and how fast they are used up."""

    def burn(slo: str, budget: str) -> dict[str, str]:
        return {window: f"parley:{slo}:ratio_rate{window} / {budget}" for window in _BURNS}

    budget = (
        "Of what may go wrong in 30 days, measured over the last 3 days as Prometheus keeps little. 100 %: nothing"
    )
    burns = (
        "How many times faster than allowed the budget is used. 1 uses it up in just 30 days. 14.4 for an hour, or 6"
        " for six hours, is a page; 1 for three days a ticket."
    )
    return [
        number(
            "Budget left: delivery",
            f"{budget} went wrong; below 0 more did than may.",
            "percentunit",
            "parley:delivery_slow:error_budget_remaining",
            steps=floor(0.5, warn=0.1),
            width=4,
            height=8,
        ),
        lines(
            "Burn rate: delivery under 250 ms",
            burns,
            "none",
            burn("delivery_slow", "0.01"),
            steps=((GREEN, 0), (YELLOW, 1), (RED, 14.4)),
            runbooks=["ParleyDeliverySloBurn"],
        ),
        number(
            "Budget left: connects",
            f"{budget} went wrong; below 0 more did than may.",
            "percentunit",
            "parley:connect_failed:error_budget_remaining",
            steps=floor(0.5, warn=0.1),
            width=4,
            height=8,
        ),
        lines(
            "Burn rate: connects let in",
            burns,
            "none",
            burn("connect_failed", "0.001"),
            steps=((GREEN, 0), (YELLOW, 1), (RED, 14.4)),
            runbooks=["ParleyConnectSloBurn"],
        ),
    ]


def runs() -> list[Panel]:
    """Alerts, targets, builds."""
    return [
        rows(
            "Alerts",
            "What fires or is about to. Each has a runbook: see the link at the top.",
            'sum by (alertname, alertstate, severity) (ALERTS{alertstate=~"firing|pending"})',
            {"alertname": "Alert", "alertstate": "State", "severity": "Severity"},
            width=8,
        ),
        rows(
            "Targets",
            "What Prometheus asks for metrics. What is down is dead, cut off, or not let through by a NetworkPolicy.",
            'max by (job, instance) (up{job=~"parley-.*"})',
            {"job": "Job", "instance": "Instance", "Value": "Up"},
            says={"0": "DOWN", "1": "up"},
            steps=((RED, 0), (GREEN, 1)),
            width=8,
            runbooks=["ParleyTargetDown"],
        ),
        rows(
            "Builds",
            "Which version runs where. Two for longer than a rollout takes is a rollout that got stuck.",
            "sum by (job, version, revision, python) (parley_build_info)",
            {"job": "Job", "version": "Version", "revision": "Revision", "python": "Python", "Value": "Processes"},
            width=8,
            runbooks=["ParleyBuildsDiffer"],
        ),
    ]
