"""The rules in deploy/observability/rules: they do what they say, and name nothing that is not there."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.observability import prometheus_rule
from tests.support import promql
from tests.support.alerting import ALERTMANAGER, PROMTOOL_TESTS, RUNBOOKS, alert_names, alerts, cases, tool

_AREAS = {"gateway", "process", "integrity", "history", "auth", "nats", "mongo", "platform"}
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


def _says(rule: dict[str, Any]) -> str:
    """A name for a rule in the output of pytest."""
    labels = rule.get("labels", {})
    return "-".join([str(rule.get("alert") or rule["record"]), *(str(labels[key]) for key in sorted(labels))])


def test_rules_are_what_prometheus_takes() -> None:
    """Every file, by promtool's own check."""
    files = map(str, sorted(promql.RULES.glob("*.yml")))
    subprocess.run([tool("promtool", "prometheus"), "check", "rules", *files], check=True)


@pytest.mark.parametrize("path", PROMTOOL_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_say_so(path: Path) -> None:
    """The unit tests of promtool: series, and at which time whose alert is firing, with which words."""
    command = [tool("promtool", "prometheus"), "test", "rules", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", alerts(), ids=_says)
def test_every_rule_fires_in_a_test(rule: dict[str, Any]) -> None:
    """Not only every name: each severity and window has its case."""
    wanted = rule["labels"].items()
    expected = [
        each["exp_labels"] for case in cases() if case["alertname"] == rule["alert"] for each in case["exp_alerts"]
    ]
    assert any(wanted <= labels.items() for labels in expected)


@pytest.mark.parametrize("name", alert_names())
def test_every_alert_is_quiet_in_a_test(name: str) -> None:
    """There is a case in which nothing of that name fires."""
    assert any(case["alertname"] == name and not case["exp_alerts"] for case in cases())


def test_no_case_is_of_an_alert_that_is_none() -> None:
    """Or it would be quiet for ever."""
    assert {case["alertname"] for case in cases()} == set(alert_names())


@pytest.mark.parametrize("rule", alerts(), ids=_says)
def test_every_alert_has_what_an_operator_needs(rule: dict[str, Any]) -> None:
    """How urgent it is, what it is about, what is wrong, by how much, and what to do."""
    assert re.fullmatch(r"Parley[A-Z][A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["labels"]["area"] in _AREAS
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert all(rule["annotations"].values())
    assert not rule["annotations"]["summary"].endswith(".")
    address, _, file = rule["annotations"]["runbook_url"].rpartition("/")
    assert address.endswith("/docs/runbooks")
    assert file == f"{rule['alert']}.md"
    assert (RUNBOOKS / file).is_file()


def test_runbooks_are_at_one_address() -> None:
    """So that one replacement brings them to where yours are."""
    assert len({rule["annotations"]["runbook_url"].rpartition("/")[0] for rule in alerts()}) == 1


@pytest.mark.parametrize("rule", promql.rules(), ids=_says)
def test_expressions_name_what_there_is(rule: dict[str, Any]) -> None:
    """Every metric is one of a service, of an exporter, or recorded, and has the labels that are asked for."""
    assert promql.unknown_in(rule["expr"]) == set()


def test_unknown_names_and_labels_are_found() -> None:
    """The check above can fail."""
    known = 'rate(parley_gateway_connects_total{result="ok"}[5m])'
    assert promql.unknown_in(known) == set()
    assert promql.unknown_in(f"{known} / on (job) misspelt_total") == {"misspelt_total"}
    assert promql.unknown_in(known.replace("result", "resolt")) == {"parley_gateway_connects_total{resolt}"}
    with pytest.raises(ValueError, match="names no metric"):
        promql.metrics_of('{job="parley-gateway"}')
    with pytest.raises(ValueError, match="parenthesis"):
        promql.metrics_of("rate(")


def test_what_dashboards_build_on_is_recorded() -> None:
    """Both objectives, over all windows."""
    ratios = {
        f"parley:{slo}:ratio_rate{window}" for slo in ("delivery_slow", "connect_failed") for window in _WINDOWS
    }
    assert (
        ratios
        | {
            "parley:connections:sum",
            "parley:messages:rate5m",
            "parley:deliveries:rate5m",
            "parley:delivery_latency:p50_rate5m",
            "parley:delivery_latency:p99_rate5m",
            "parley:delivery_slow:error_budget_remaining",
            "parley:connect_failed:error_budget_remaining",
        }
        <= promql.recorded().keys()
    )


def test_the_resource_for_kubernetes_is_made_of_these_rules() -> None:
    """The committed file is what `python -m deploy.observability` writes, with every rule in it."""
    assert prometheus_rule.PATH.read_text() == prometheus_rule.text()
    groups = yaml.safe_load(prometheus_rule.text())["spec"]["groups"]
    assert [rule for group in groups for rule in group["rules"]] == [
        rule for group in prometheus_rule.groups() for rule in group["rules"]
    ]
    assert sorted(map(_says, promql.rules())) == sorted(_says(rule) for group in groups for rule in group["rules"])


def test_alertmanager_takes_the_example_and_wakes_somebody() -> None:
    """Critical alerts go to the pager, others to the tickets."""
    amtool = tool("amtool", "prometheus-alertmanager")
    subprocess.run([amtool, "check-config", ALERTMANAGER], check=True)
    for severity, receiver in (("critical", "pager"), ("warning", "tickets")):
        command = [amtool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}"]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == receiver


def test_alertmanager_silences_alerts_that_there_are() -> None:
    """Every name in the example is an alert's, and nothing that follows hides a broken promise."""
    config = yaml.safe_load(ALERTMANAGER.read_text())
    for rule in config["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, operator, value = re.fullmatch(r'(\w+)(!?=~?)"(.*)"', matcher).groups()  # type: ignore[union-attr]
            if label == "alertname":
                assert any(re.fullmatch(value, name) for name in alert_names()), matcher
                assert operator == "!=" or not re.fullmatch(value, "ParleyGapsUnhealable"), matcher


def test_an_exporter_that_is_away_silences_nobody() -> None:
    """parley-nats is the exporter beside nats-server: NATS, and all that needs it, may be well or ill without it."""
    sources = [rule["source_matchers"] for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]]
    assert not [each for each in sources if any("parley-nats" in matcher for matcher in each)]
    assert ['alertname="ParleyNatsDisconnected"', 'who="all"'] in sources
