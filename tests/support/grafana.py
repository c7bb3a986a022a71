"""The committed dashboards as Grafana reads them: their panels, and what each asks Prometheus."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from deploy.observability.write import DASHBOARDS

_LEGEND_LABEL = re.compile(r"\{\{(\w+)\}\}")
_VARIABLE_QUERY = re.compile(r"label_values\((.*), *(\w+)\)")


class Query(msgspec.Struct, frozen=True):
    """One expression, with Grafana's variables in it; `instant`: asked for now alone."""

    dashboard: str
    panel: str
    ref: str
    expression: str
    legend: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel} / {self.ref}"


def boards() -> dict[str, dict[str, Any]]:
    """Every committed dashboard, by its file's name without the end."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All that show something: no rows."""
    return [each for each in board["panels"] if each["type"] != "row"]


def queries() -> Iterator[Query]:
    """Of all panels, annotations and variables of all dashboards."""
    for name, board in boards().items():
        for panel in panels(board):
            for each in panel["targets"]:
                instant = bool(each.get("instant"))
                yield Query(name, panel["title"], each["refId"], each["expr"], each["legendFormat"], instant)
        for each in board["annotations"]["list"]:
            yield Query(name, f"annotation {each['name']}", "A", each["expr"], "", instant=False)
        for each in board["templating"]["list"]:
            if each["type"] == "query":
                asked = _VARIABLE_QUERY.fullmatch(each["query"]["query"])
                assert asked, f"{name}: {each['query']}"
                yield Query(name, f"variable {each['name']}", "A", asked[1], asked[2], instant=True)


def labels_in(legend: str) -> set[str]:
    """The labels that a legend names."""
    return set(_LEGEND_LABEL.findall(legend))


def called(legend: str, labels: Mapping[str, str]) -> str:
    """What the legend says of a series with these labels."""
    return _LEGEND_LABEL.sub(lambda label: labels.get(label[1], ""), legend)


def filled(expression: str, *, step: float, scrape: float, span: float) -> str:
    """The expression that Prometheus gets, with all instances chosen.

    `step`, `scrape` and `span` (seconds) are of the points, the scrapes, and the time shown.
    """
    # https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
    window = max(step + scrape, 4 * scrape)
    for name, value in (("__rate_interval", window), ("__interval", step), ("__range", span)):
        expression = expression.replace(f"${name}", f"{value:g}s")
    filled_in = expression.replace("$instance", ".*")
    assert "$" not in filled_in, filled_in
    return filled_in
