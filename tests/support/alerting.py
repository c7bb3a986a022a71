"""Parley's alerts, their promtool tests and their runbooks, as they lie in the repository."""

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.promql import ROOT, RULES, rules

RUNBOOKS: Final = ROOT / "docs" / "runbooks"
PROMTOOL_TESTS: Final = sorted((RULES / "tests").glob("*.yml"))
ALERTMANAGER: Final = RULES.parent / "alertmanager.yml"
_QUERIES: Final = re.compile(r"```promql\n(.*?)```", re.DOTALL)


def alerts() -> list[dict[str, Any]]:
    """Every alerting rule; several may share a name, with other labels."""
    return [rule for rule in rules() if "alert" in rule]


def alert_names() -> list[str]:
    """Each name once."""
    return sorted({rule["alert"] for rule in alerts()})


@cache
def cases() -> list[dict[str, Any]]:
    """Every case of every promtool test: `alertname`, `eval_time`, `exp_alerts`."""
    files = [yaml.safe_load(path.read_text()) for path in PROMTOOL_TESTS]
    return [case for file in files for test in file["tests"] for case in test["alert_rule_test"]]


def queries(runbook: Path) -> list[str]:
    """What is to be asked of Prometheus there: each line of a block of PromQL, but comments."""
    blocks = _QUERIES.findall(runbook.read_text())
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def tool(name: str, package: str) -> str:
    """The path of `name`, of a Debian package; skips the test, loudly, where it is not there."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"NOT CHECKED: there is no {name} here (Debian: apt install {package})")
    return path
