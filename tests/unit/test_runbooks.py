"""docs/runbooks: what to do when an alert fires, at three in the morning."""

import re
from pathlib import Path

import pytest

from tests.support import promql
from tests.support.alerting import RUNBOOKS, alert_names, alerts, queries
from tests.support.manifests import overlay

_SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
_INDEX = RUNBOOKS / "README.md"
_FILES = sorted(path for path in RUNBOOKS.glob("*.md") if path != _INDEX)


def _severities(name: str) -> set[str]:
    return {rule["labels"]["severity"] for rule in alerts() if rule["alert"] == name}


def test_every_alert_has_one_and_each_is_of_an_alert() -> None:
    """No alert without, none left over."""
    assert [path.stem for path in _FILES] == alert_names()


def test_the_index_lists_every_alert_with_its_severity() -> None:
    """The table that is looked into first is complete, and true."""
    rows = dict(re.findall(r"^\| \[(\w+)\]\(\1\.md\) \| ([\w ]+) \| .+ \|$", _INDEX.read_text(), flags=re.MULTILINE))
    assert {name: set(severity.split(" and ")) for name, severity in rows.items()} == {
        name: _severities(name) for name in alert_names()
    }


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_runbook_says_all_four_things(path: Path) -> None:
    """Its name and how urgent it is, then what it means, what users notice, what to ask, and what to do."""
    head, *parts = re.split(r"^## ", path.read_text(), flags=re.MULTILINE)
    assert head.startswith(f"# {path.stem}\n")
    assert {word for word in ("critical", "warning") if word in head} == _severities(path.stem)
    sections = dict(part.split("\n\n", 1) for part in parts)
    assert tuple(sections) == _SECTIONS
    assert all(len(text.strip()) > 20 for text in sections.values())


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_its_queries_name_what_there_is(path: Path) -> None:
    """There are some; each parses, and names metrics and labels that exist."""
    assert queries(path)
    for query in queries(path):
        assert promql.unknown_in(query) == set(), query


@pytest.mark.parametrize("path", [*_FILES, _INDEX], ids=lambda path: path.stem)
def test_its_links_lead_somewhere(path: Path) -> None:
    """Every relative link is to a file of the repository."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_it_scales_what_an_autoscaler_scales_by_that(path: Path) -> None:
    """The number of a Deployment is its autoscaler's: whoever changes it at night has it changed back."""
    text = " ".join(path.read_text().split())
    assert "scale deployment/" not in text
    patched = re.findall(r"patch hpa (\w+) -p '(.+?)'", text)
    assert {name for name, _ in patched} <= overlay("production").named("HorizontalPodAutoscaler").keys()
    assert {patch for _, patch in patched} <= {'{"spec":{"minReplicas":N}}'}
