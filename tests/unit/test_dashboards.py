"""The Grafana dashboards: complete, and of nothing that does not exist."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observability import write
from tests.support import promql
from tests.support.grafana import Query, boards, filled, panels, queries
from tests.support.prometheus import JOBS

PROVISIONING = Path(write.__file__).parent / "grafana" / "provisioning"
UIDS = {"overview", "gateway", "delivery", "history", "auth", "nats", "load"}

COMPOSE = promql.ROOT / "deploy" / "compose" / "prometheus.yml"

each_board = pytest.mark.parametrize("name", sorted(boards()))


def test_what_is_committed_is_what_the_code_writes() -> None:
    """`make observability` changes nothing."""
    assert {path: path.read_text() for path in write.DASHBOARDS.iterdir()} == write.dashboards()


def test_each_has_a_uid_of_its_own_and_links_to_the_others() -> None:
    """Addresses of dashboards stay, and from each one gets to all and to the runbooks."""
    assert {board["uid"] for board in boards().values()} == {f"parley-{name}" for name in UIDS}
    for name, board in boards().items():
        assert board["uid"] == name
        assert "parley" in board["tags"]
        kinds = {link["type"]: link for link in board["links"]}
        assert kinds["dashboards"]["tags"] == ["parley"]
        assert kinds["link"]["url"].endswith("docs/runbooks/README.md")


@each_board
def test_grafanas_own_types_take_it_as_it_is(name: str) -> None:
    """Read with Grafana's schema and written again, it is the same: no field is misspelt or lost."""
    register_default_plugins()
    board = boards()[name]
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
    for each in (*again["links"], *again["annotations"]["list"]):
        each["placement"] = ""  # the one field that the types do not read
    assert again == board


@each_board
def test_it_has_sensible_defaults(name: str) -> None:
    """The last hour, refreshed by itself, of a Prometheus that can be chosen."""
    board = boards()[name]
    assert board["time"] == {"from": "now-1h", "to": "now"}
    assert board["refresh"] in {"30s", "5s"}
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    assert ("instance" in variables) == ("$instance" in json.dumps(board["panels"]))
    assert board["description"]


@each_board
def test_panels_stand_beside_each_other(name: str) -> None:
    """Ids are unique, rows are filled, nothing overlaps or ends outside of the grid's 24 columns."""
    board = boards()[name]
    ids = Counter(each["id"] for each in board["panels"])
    assert set(ids.values()) == {1}
    places = {f"{each['id']} {each['title']}": each["gridPos"] for each in board["panels"]}
    for title, place in places.items():
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24, title
    for one, other in combinations(places, 2):
        assert not _overlap(places[one], places[other]), (one, other)
    for top in {place["y"] for place in places.values()}:
        width = sum(place["w"] for place in places.values() if place["y"] == top)
        assert width == 24, f"{width} at {top}: {[title for title in places if places[title]['y'] == top]}"


@each_board
def test_each_panel_says_what_it_means(name: str) -> None:
    """A title, a sentence or more, a unit, a legend, and the datasource that was chosen."""
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(boards()[name]):
        title = panel["title"]
        assert panel["description"].endswith("."), title
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], title
        assert defaults["thresholds"]["steps"], title
        assert panel["targets"], title
        for target in panel["targets"]:
            assert panel["datasource"] == target["datasource"] == chosen, title
            assert target["legendFormat"] or panel["type"] == "table", title


def test_a_large_number_is_what_it_is_now() -> None:
    """The last of a range would go on when everything has died; and 0 / 0 says what there is none of."""
    numbers = [panel for board in boards().values() for panel in panels(board) if panel["type"] == "stat"]
    assert len(numbers) > 30
    for panel in numbers:
        (target,) = panel["targets"]
        assert (target["instant"], target["range"]) == (True, False), panel["title"]
        assert target["expr"].endswith(" > -Inf"), panel["title"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


@pytest.mark.parametrize("query", list(queries()), ids=str)
def test_each_query_is_promql_of_metrics_that_there_are(query: Query) -> None:
    """It parses, and each metric exists with the labels asked for."""
    expression = filled(query.expression, step=30, scrape=15, span=3600)
    assert promql.metrics_of(expression)
    assert promql.unknown_in(expression) == set()


def test_every_metric_of_ours_is_shown_somewhere() -> None:
    """Nothing is counted that nobody sees; what is behind a recording rule is seen through it."""
    named = {
        name
        for query in queries()
        for name in promql.metrics_of(filled(query.expression, step=30, scrape=15, span=9))
    }
    recorded = promql.recorded()
    shown = named.union(*(promql.metrics_of(recorded[name]) for name in named & recorded.keys()))
    ours = {name for name in promql.known_metrics() if name.startswith("parley_")}
    assert {_family(name) for name in ours} - {_family(name) for name in shown} == set()


def test_links_to_runbooks_lead_to_runbooks() -> None:
    """Each exists in docs/runbooks."""
    linked: list[dict[str, Any]] = [
        link for board in boards().values() for panel in panels(board) for link in panel["links"]
    ]
    assert linked
    for link in linked:
        name = link["url"].rpartition("/")[2]
        assert (promql.ROOT / "docs" / "runbooks" / name).exists(), name


def test_provisioning_names_where_the_dashboards_are() -> None:
    """Grafana finds a datasource, by default, and the folder with the dashboards; neither is changed by hand."""
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())
    providers = yaml.safe_load((PROVISIONING / "dashboards" / "parley.yml").read_text())
    scraping = yaml.safe_load(COMPOSE.read_text())
    [source], [provider] = sources["datasources"], providers["providers"]
    assert (source["type"], source["isDefault"], source["editable"]) == ("prometheus", True, False)
    assert source["jsonData"]["timeInterval"] == scraping["global"]["scrape_interval"]
    assert provider["allowUiUpdates"] is False
    mounted = yaml.safe_load((promql.ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./deploy/observability/dashboards:{provider['options']['path']}:ro" in mounted
    assert "./deploy/observability/grafana/provisioning:/etc/grafana/provisioning:ro" in mounted


def test_jobs_are_named_as_where_dashboards_were_tried() -> None:
    """What selects by `job` fits the containers, which have a load balancer besides."""
    configs = yaml.safe_load(COMPOSE.read_text())["scrape_configs"]
    assert {each["job_name"] for each in configs} == {*JOBS, "parley-proxy"}


def _family(name: str) -> str:
    return re.sub("_(bucket|sum|count)$", "", name)


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
