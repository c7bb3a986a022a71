"""A dashboard: rows of panels, links to the other dashboards, and what happened meanwhile."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from deploy.observability.panel import RUNBOOKS, SOURCE, Panel

TAG = "parley"

_IN_SIGHT = ""
"""Above the panels; by default the library puts links and annotations into a menu."""


def board(
    uid: str,
    title: str,
    about: str,
    rows: Mapping[str, Sequence[Panel]],
    *,
    instances: str = "",
    refresh: str = "30s",
) -> str:
    """A dashboard as JSON; the same each time. `instances`: series whose instances can be chosen from."""
    builder = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags([TAG])
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .refresh(refresh)
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(_source())
    )
    if instances:
        builder.with_variable(_instances(instances))
    for link in _links():
        builder.link(link)
    for annotation in _annotations():
        builder.annotation(annotation)
    number = 0
    for name, panels in rows.items():
        number += 1
        builder.with_row(dashboard.Row(name).id(number))
        for panel in panels:
            number += 1
            builder.with_panel(panel.placed(number))
    return JSONEncoder(sort_keys=True, indent=2).encode(builder.build()) + "\n"


def _source() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")


def _instances(series: str) -> dashboard.QueryVariable:
    query = f"label_values({series}, instance)"
    return (
        dashboard.QueryVariable("instance")
        .label("Instance")
        .datasource(SOURCE)
        .query({"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"})
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NATURAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )


def _links() -> list[dashboard.DashboardLink]:
    others = dashboard.DashboardLink("Parley").type(models.DashboardLinkType.DASHBOARDS).tags([TAG])
    runbooks = dashboard.DashboardLink("Runbooks").type(models.DashboardLinkType.LINK).url(f"{RUNBOOKS}/README.md")
    links = [others.keep_time(True), runbooks.icon("doc").target_blank(True)]
    return [each.placement(_IN_SIGHT) for each in links]


def _annotations() -> list[dashboard.AnnotationQuery]:
    restarts = 'changes(process_start_time_seconds{job=~"parley-.*"}[2m]) > 0'
    return [
        _annotation("Alerts", "red", 'ALERTS{alertstate="firing"}', "{{alertname}}"),
        _annotation("Restarts", "blue", restarts, "{{instance}} has restarted"),
    ]


def _annotation(name: str, color: str, query: str, title: str) -> dashboard.AnnotationQuery:
    built = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color)
    return built.expr(query).title_format(title).placement(_IN_SIGHT)
