"""The generated files: what is in them, and where they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.observability import prometheus_rule
from deploy.observability.boards import auth, delivery, gateway, history, load, nats, overview

DASHBOARDS: Final = Path(__file__).parent / "dashboards"
"""Grafana reads them from here, as files or as ConfigMaps."""


def dashboards() -> dict[Path, str]:
    """The JSON of every dashboard, by its file."""
    boards = (overview, gateway, delivery, history, auth, nats, load)
    return {DASHBOARDS / f"{each.UID}.json": each.board() for each in boards}


def everything() -> Iterator[Path]:
    """Write all; yields each file's path."""
    for path, text in dashboards().items():
        path.write_text(text)
        yield path
    prometheus_rule.write()
    yield prometheus_rule.PATH
