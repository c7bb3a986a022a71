"""What panels of all kinds have: a place, links to runbooks, queries, a unit, colours."""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.observability.steps import Steps

Queries = Mapping[str, str]
SOURCE = words.DataSourceRef(type_val="prometheus", uid="${datasource}")
RUNBOOKS = "https://github.com/example/parley/blob/main/docs/runbooks"
"""Where runbooks are read; the annotations of the alerts say the same."""


class Panel:
    """A panel of a dashboard, of which only the place is open; see `board.py`."""

    def __init__(self, builder: Any, *, width: int, height: int, runbooks: Sequence[str]) -> None:
        self._builder = builder
        self._size = (width, height)
        self._runbooks = runbooks

    def placed(self, number: int) -> Any:
        """The builder, with its id and size."""
        width, height = self._size
        links = [
            dashboard.DashboardLink(f"Runbook: {each}")
            .type(models.DashboardLinkType.LINK)
            .url(f"{RUNBOOKS}/{each}.md")
            .target_blank(True)
            for each in self._runbooks
        ]
        return self._builder.id(number).span(width).height(height).links(links)


def mapped(says: Mapping[str, tuple[str, str | None]]) -> list[models.ValueMapping]:
    """Words, and colours, for values."""
    results = {value: models.ValueMappingResult(text=text, color=color) for value, (text, color) in says.items()}
    return [models.ValueMap(options=results)]


def base(  # noqa: PLR0917 - each has all of these
    builder: Any,
    title: str,
    means: str,
    unit: str,
    queries: Queries,
    steps: Steps,
    *,
    form: PromQueryFormat = PromQueryFormat.TIME_SERIES,
    is_now: bool = False,
) -> Any:
    """What all panels have; raises `ValueError` when something of it is missing. `is_now`: no course is asked for."""
    if not means or not unit or len(queries) > len(string.ascii_uppercase):
        raise ValueError(f"{title}: each panel says what it means, and in which unit")
    marks = [models.Threshold(value=None, color=steps[0][0])]
    marks += [models.Threshold(value=value, color=color) for color, value in steps[1:]]
    builder.title(title).description(means).unit(unit).datasource(SOURCE)
    builder.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(marks))
    for letter, (legend, query) in zip(string.ascii_uppercase, queries.items(), strict=False):
        target = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(legend).format(form)
        target = target.instant() if is_now or form == PromQueryFormat.TABLE else target.range()
        builder.with_target(target.datasource(SOURCE))
    return builder
