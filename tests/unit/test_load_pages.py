"""The reports of a run: the page, the charts, the summary, and the folder that they are in."""

from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from loadtests import kinds, verdict
from loadtests.facts import Facts, Process
from loadtests.report.charts import charts
from loadtests.report.conclude import KNOWN, conclude
from loadtests.report.html import page
from loadtests.report.markdown import summary
from loadtests.report.results import Ending, Results
from loadtests.report.text import text
from loadtests.slo import Limits, Slo
from tests.support.load_facts import account, facts, results, run, usage


class _Page(HTMLParser):
    """Whether all that opens closes, and what is said."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_is_well_formed_and_whole() -> None:
    """All closes, no id is there twice, nothing is fetched, names are escaped; and everything is in it."""
    html = page(results(facts()))
    found = _Page(html)
    assert not found.open
    assert len(set(found.ids)) == len(found.ids)
    assert not found.tags & {"script", "link", "img", "iframe", "object", "b"}
    assert "@import" not in html
    for each in ("PASSED", "gateway-1 <restarts>", "<b>&", "Some <Processor>", "message p99", "not measured"):
        assert each in found.words, each
    for title in (
        "Connections and users",
        "Failures and drops",
        "Sent, a second",
        "Gateways: CPU",
        "Gateways: memory",
    ):
        assert title in found.words, title
    assert "90 %: the limit" in found.words
    assert len(html) < 500_000


def test_charts_are_svg_with_a_title_and_equal_for_equal_results() -> None:
    """So a committed example changes only when its run does."""
    drawn = charts(results(facts()))
    assert len(drawn) == 10
    for each in drawn:
        root = ET.fromstring(each.svg)  # noqa: S314 - it is our own
        assert root.tag.endswith("svg")
        assert root[0].text == each.about
    assert [each.svg for each in drawn] == [each.svg for each in charts(results(facts()))]


def test_what_is_beside_the_gateways_has_charts_of_its_own() -> None:
    """So that the gateways' are the gateways'."""
    known = run(gateways=4)
    known.gateways += [
        Process(name, "", usage(90, 400)) for name in ("haproxy-1", "nats", "mongo", "auth", "history")
    ]
    drawn = {each.title: each for each in charts(results(facts(), known))}
    assert " 4 processes: 85 at most" in drawn["Gateways: CPU"].about
    assert "gateway-4" in drawn["Gateways: CPU"].svg
    assert "mongo" not in drawn["Gateways: CPU"].svg
    assert "mongo" in drawn["The rest of the system: CPU"].svg
    assert "mongo" in drawn["The rest of the system: memory"].svg


def test_a_run_without_anything_has_reports_too() -> None:
    """It is not valid, and says so."""
    found = results(Facts(), run(gateways=0))
    assert found.ending is Ending.INVALID
    assert not _Page(page(found)).open
    assert "NOT VALID" in summary(found)
    assert "NOT VALID" in text(found)


def test_the_summary_is_one_table_after_the_other() -> None:
    """Names break no cell."""
    found = summary(results(facts(), slo=Slo({kinds.MESSAGE: Limits(p99_ms=50)})))
    assert found.startswith("# Load test: BROKEN\n")
    rows = [line for line in found.splitlines() if line.startswith("|")]
    assert "| message | 240 | 4.0 | 0 | 20 | " in found
    assert all(row.endswith(" |") for row in rows)
    assert "&lt;b>&" in found


async def test_a_results_folder_is_judged_again_and_holds_no_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the same results; a message less in the facts, and it does not pass any more; no folder, no verdict."""
    kept = facts()
    kept.account.acknowledged, kept.account.stays, kept.account.history = [], [], {}  # no room, so no server is asked
    kept.account.refused = 5
    folder = tmp_path / "results" / "now"
    found = await conclude(kept, run(), folder)
    assert {each.name for each in folder.iterdir()} == {
        "facts.msgpack",
        KNOWN,
        "report.html",
        "run.json",
        "summary.md",
    }
    assert all(b"the-token" not in each.read_bytes() for each in folder.iterdir())
    assert msgspec.json.decode((folder / "run.json").read_bytes(), type=Results) == found
    said = capsys.readouterr().out
    assert verdict.main([str(folder)]) == 1
    assert capsys.readouterr().out in said
    changed = Facts.read(folder / "facts.msgpack")
    changed.account = account()
    changed.write(folder / "facts.msgpack")
    known = msgspec.json.decode((folder / KNOWN).read_bytes())
    known["run"]["slo"] = {"requests": {"message": {"p99_ms": 500}}}
    (folder / KNOWN).write_bytes(msgspec.json.encode(known))
    assert verdict.main([str(folder)]) == 0
    changed.account.stays[0].received = changed.account.stays[0].received[:-1]
    changed.write(folder / "facts.msgpack")
    assert verdict.main([str(folder)]) == 1
    assert "1 lost tail" in capsys.readouterr().out
    assert verdict.main([str(tmp_path)]) == 2
    (folder / "facts.msgpack").write_bytes(b"none")
    assert verdict.main([str(folder)]) == 2
