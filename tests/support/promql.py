"""What PromQL expressions name, and all that there is to be named: for tests of rules, runbooks and dashboards."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import promql_parser
import yaml

from tests.support.exporters import EXPORTED, OF_ANY_TARGET

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "deploy" / "observability" / "rules"
_SERVICES: Final = ("gateway", "auth", "history")
_TARGET_LABELS: Final = frozenset({"job", "instance"})


def metrics_of(expression: str) -> set[str]:
    """The metrics that it selects.

    Raises `ValueError` if it cannot be parsed, or selects by something else than one metric's name.
    """
    return {name for name, _ in _selected(expression)}


def unknown_in(expression: str) -> set[str]:
    """What it names and nobody has: ``metric`` or, where a selector asks for a label, ``metric{label}``.

    Raises as `metrics_of`. Labels of recording rules are not looked at.
    """
    known, missing = catalogue(), set()
    for name, labels in _selected(expression):
        if name not in known:
            missing.add(name)
        elif (has := known[name]) is not None:
            missing.update(f"{name}{{{label}}}" for label in labels - has - _TARGET_LABELS)
    return missing


def known_metrics() -> set[str]:
    """Every metric of every service, of the exporters beside them, and of the recording rules."""
    return set(catalogue())


@cache
def catalogue() -> dict[str, frozenset[str] | None]:
    """Each metric's labels, without those of its target; None where they are a recording rule's."""
    found: dict[str, frozenset[str] | None] = {}
    for name, labels in (*(each for service in _SERVICES for each in _registry(service)), *EXPORTED.items()):
        found[name] = (found.get(name) or frozenset()) | labels
    return {**found, **OF_ANY_TARGET, **dict.fromkeys(recorded())}


def recorded() -> dict[str, str]:
    """The recording rules: their names and expressions."""
    return {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}


@cache
def rules() -> list[dict[str, Any]]:
    """Every rule of every file in deploy/observability/rules."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _selected(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each selector's metric, and the labels that it asks for."""
    selectors: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            selectors.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    for each in selectors:
        if each.name is None:
            raise ValueError(f"{each} in {expression} names no metric")
        yield each.name, {matcher.name for matcher in each.matchers.matchers}


def _registry(service: str) -> Iterator[tuple[str, frozenset[str]]]:
    command = [sys.executable, "-m", "tests.support.registry", f"services.{service}.app"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name, labels in json.loads(printed).items():
        yield name, frozenset(labels)
