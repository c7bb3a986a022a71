"""How many series a process can have at most, and that the documentation names every metric."""

import re
from pathlib import Path
from typing import Final

import pytest

from runtime.metrics import LATENCY_BUCKETS
from services.gateway.edge import metrics as edge
from tests.support import series

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "ARCHITECTURE.md"
MOST: Final = 500

_NAME: Final = re.compile(r"`([a-z_]+)(?:\{([a-z_,]+)\})?`")


@pytest.mark.parametrize("service", series.SERVICES)
def test_whatever_happens_a_process_has_fewer_than_500_series(service: str) -> None:
    """All results of all events, all errors of NATS, all limits: everything that can ever have happened."""
    assert len(series.possible(service)) < MOST


def _documented() -> dict[str, set[str]]:
    """The metrics in the table, by name, with their labels. `_name` goes on after the first two words before it."""
    table = DOCUMENT.read_text().split("## Metrics\n")[1].split("\n## ")[0]
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE):
        prefix = ""
        for name, labels in _NAME.findall(row):
            if not name.startswith("_"):
                prefix = "_".join(name.split("_")[:2])
            full = f"{prefix}{name}" if name.startswith("_") else name
            assert full not in found, f"{full} is there twice"
            found[full] = set(filter(None, labels.split(",")))
    return found


def test_the_documentation_has_every_metric_and_no_other() -> None:
    """Of all services, with the labels of those that have samples."""
    registered: dict[str, set[str]] = {}
    for service in series.SERVICES:
        for family in series.families_at_start(service):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            registered.setdefault(name, set()).update(labels)
    documented = _documented()
    assert registered.keys() == documented.keys()
    for name, labels in registered.items():
        if labels:
            assert labels == documented[name], name


def test_the_edge_has_the_buckets_of_all_others() -> None:
    """It may not import them."""
    found = next(iter(edge.ping_round_trip.collect())).samples
    bounds = [float(sample.labels["le"]) for sample in found if sample.name.endswith("_bucket")]
    assert bounds == [*LATENCY_BUCKETS, float("inf")]
