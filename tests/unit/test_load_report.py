"""What a run comes to: exact figures from known facts, each ending, and the reports."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from checker.account import Account
from checker.judge import Kind
from loadtests import kinds, verdict
from loadtests.facts import Facts
from loadtests.report import words
from loadtests.report.assemble import Run, assemble
from loadtests.report.charts import charts
from loadtests.report.conclude import KNOWN, conclude
from loadtests.report.html import page
from loadtests.report.markdown import summary
from loadtests.report.results import Ending, Results
from loadtests.report.text import text
from loadtests.slo import Limits, Slo
from tests.support.load_facts import BEGAN, ENVIRONMENT, LENGTH, RAMP, USERS, account, facts, run, usage

LENIENT = Slo({kinds.MESSAGE: Limits(p99_ms=500, failed_percent=1), kinds.DELIVERY: Limits(p99_ms=500)})


def results(found: Facts, known: Run | None = None, slo: Slo = LENIENT) -> Results:
    """As they come of these."""
    known = known or run()
    known.slo = slo
    return assemble(found, known, ENVIRONMENT)


def test_figures_are_those_of_the_measured_phases() -> None:
    """60 s with 4 messages and 12 deliveries each; users arrived before."""
    found = results(facts())
    by_kind = {each.kind: each for each in found.figures}
    message = by_kind[kinds.MESSAGE]
    assert (message.count, message.failures, message.per_second) == (4 * LENGTH, {}, 4.0)
    assert message.p50 == pytest.approx(20, rel=0.011)
    assert message.p99 == pytest.approx(60, rel=0.03)
    assert by_kind[kinds.DELIVERY].count == 12 * LENGTH
    assert by_kind[kinds.TYPING].failures == {kinds.TIMEOUT: 1}
    assert kinds.CONNECT not in by_kind
    assert [each.kind for each in found.figures] == sorted(by_kind, key=kinds.KINDS.index)
    ramp, hold = found.parts
    assert [(each.kind, each.count) for each in ramp.figures] == [(kinds.CONNECT, USERS)]
    assert (ramp.begin, ramp.end, hold.begin, hold.end) == (0, RAMP, RAMP, RAMP + LENGTH)
    assert (hold.connected, hold.drops, hold.deliveries_per_second) == (USERS, 1, 12.0)
    assert (found.seconds, found.began) == (RAMP + LENGTH, "2026-09-21T14:13:20Z")


def test_a_phase_that_begins_within_a_second_has_the_rest_of_it() -> None:
    """No second of a run is in no phase, or in two."""
    found = facts()
    found.phases = [
        msgspec.structs.replace(each, begin=each.begin + 0.6, end=each.end + 0.6) for each in found.phases
    ]
    ramp, hold = results(found).parts
    assert sum(each.count for each in ramp.figures if each.kind == kinds.CONNECT) == USERS
    messages = [sum(each.count for each in part.figures if each.kind == kinds.MESSAGE) for part in (ramp, hold)]
    assert messages == [4, 4 * LENGTH - 4]


def test_counts_are_the_accounts() -> None:
    """Twenty messages, three readers."""
    counts = results(facts()).counts
    assert (counts.sent, counts.acknowledged, counts.refused, counts.unconfirmed) == (20, 20, 0, 0)
    assert (counts.expected, counts.received, counts.lost, counts.duplicates, counts.out_of_order) == (
        60,
        60,
        0,
        0,
        0,
    )
    assert (counts.stays, counts.cut_off, counts.other, counts.first) == (3, 0, {}, [])


def test_series_have_every_second() -> None:
    """Also those in which nothing happened."""
    found = facts()
    del found.timeline.seconds[BEGAN + 20]
    series = results(found).series
    assert series.seconds == list(range(RAMP + LENGTH))
    assert series.rates[kinds.MESSAGE][18:23] == [4, 4, 0, 4, 4]
    assert series.p99[kinds.MESSAGE][20] is None
    assert series.connected[18:23] == [USERS] * 5, "nobody said otherwise in that second"
    assert series.drops[30] == series.failures[30] == sum(series.drops) == 1


def test_long_runs_are_thinned_and_their_worst_stays() -> None:
    """Two hours: four seconds a point. A single slow second is still there, and so is every drop."""
    found = facts()
    end = BEGAN + 7200
    found.phases[1] = msgspec.structs.replace(found.phases[1], end=float(end))
    found.timeline.took(kinds.MESSAGE, 3.0, BEGAN + 5001)
    found.timeline.took(kinds.MESSAGE, 0.01, BEGAN + 5002)
    found.timeline.count(kinds.DROPS, BEGAN + 5002, 2)
    found.timeline.took(kinds.MESSAGE, 0.01, end - 1)
    series = results(found).series
    assert (series.span, len(series.seconds)) == (4, 1800)
    point = series.seconds.index(5000)
    assert series.p99[kinds.MESSAGE][point] == pytest.approx(3000, rel=0.011)
    assert series.rates[kinds.MESSAGE][point] == 0.5
    assert series.drops[point] == 2
    assert sum(series.drops) == 3


def test_a_run_that_kept_everything_passes() -> None:
    """With 0."""
    found = results(facts())
    assert (found.ending, found.ending.exit_code, found.reasons) == (Ending.PASSED, 0, [])
    assert words.sentence(found).startswith("Every acknowledged message reached every member exactly once")


def _lose(found: Account) -> None:
    found.stays[1].received = [each for each in found.stays[1].received if each.seq != 7]


def _repeat(found: Account) -> None:
    found.stays[1].received = [*found.stays[1].received, found.stays[1].received[-1]]


def _forget(found: Account) -> None:
    found.history["room <1>"].pop(0)


@pytest.mark.parametrize(
    ("plant", "kind", "counted"),
    [
        (_lose, Kind.LOST_MIDDLE, (1, 0)),
        (_repeat, Kind.DUPLICATE, (0, 1)),
        (_forget, Kind.LOST_HEAD, (1, 0)),
    ],
)
@pytest.mark.parametrize("cpu", [40.0, 97.0])
def test_a_planted_fault_breaks_a_run_valid_or_not(
    plant: Callable[[Account], None], kind: Kind, counted: tuple[int, int], cpu: float
) -> None:
    """With 1; the report names the message, and what else was the matter."""
    broken = facts(cpu=cpu)
    plant(broken.account)
    found = results(broken)
    assert (found.ending, found.ending.exit_code) == (Ending.BROKEN, 1)
    assert (found.counts.lost, found.counts.duplicates) == counted
    assert str(kind) in found.reasons[0]
    assert bool(found.invalid) == (cpu > 90)
    assert not words.account_holds(found.counts)
    for report in (summary(found), text(found)):
        assert "BROKEN" in report
        assert "The promise was not kept" in report
        assert str(kind) in report


def test_a_broken_objective_breaks_a_valid_run() -> None:
    """With 1, and with what was measured; nothing was lost, and that is said."""
    found = results(facts(), slo=Slo({kinds.MESSAGE: Limits(p99_ms=50)}))
    assert (found.ending, found.ending.exit_code) == (Ending.BROKEN, 1)
    [reason] = found.reasons
    assert reason.startswith("message p99: ")
    assert found.parts[1].broken == found.reasons
    assert words.sentence(found).endswith("exactly once and in order, but 1 of 1 objectives was not kept.")


def test_a_generator_at_its_limit_makes_a_run_not_valid() -> None:
    """With 3, also when an objective was broken: that says nothing of the system."""
    found = results(facts(cpu=97), slo=Slo({kinds.MESSAGE: Limits(p99_ms=50)}))
    assert (found.ending, found.ending.exit_code) == (Ending.INVALID, 3)
    assert "more than 90 %" in found.reasons[0]


def test_a_crash_of_the_load_test_makes_a_run_not_valid() -> None:
    """With 3, and with what crashed."""
    crashed = facts()
    crashed.crashes = ["KeyError: 'x'"]
    found = results(crashed)
    assert found.ending is Ending.INVALID
    assert any("KeyError" in each for each in found.reasons)
    assert "KeyError" in text(found)


def test_a_system_that_acknowledges_nothing_does_not_pass() -> None:
    """Nor one in which nobody stayed to see what came."""
    refused = facts()
    refused.account = Account(refused=5)
    found = results(refused)
    assert (found.ending, found.reasons) == (Ending.BROKEN, ["5 messages were sent, and none was acknowledged"])
    gone = facts()
    for stay in gone.account.stays:
        stay.lasted = False
    assert results(gone).ending is Ending.BROKEN


def test_steps_find_the_highest_that_held() -> None:
    """The third is ten times as slow: it ends the run, and does not break it."""
    found = results(facts(names=["step 1", "step 2", "step 3"]), run(steps=True))
    assert found.ending is Ending.PASSED
    assert found.highest is not None
    assert found.highest.part == "step 2"
    assert (found.highest.messages_per_second, found.highest.deliveries_per_second) == (4.0, 12.0)
    assert found.highest.connected == USERS
    assert found.highest.ended_by.startswith("step 3 did not keep message p99: ")
    assert next(each.count for each in found.figures if each.kind == kinds.MESSAGE) == 2 * 4 * LENGTH / 3
    assert "Highest load within the objectives: step 2" in text(found)


def test_steps_that_the_generator_ended_say_so() -> None:
    """The run is valid up to there; the system may do more."""
    busy = facts(names=["step 1", "step 2", "step 3"])
    third = BEGAN + RAMP + 2 * LENGTH / 3
    calm, hot = usage(40, 300), usage(97, 300)
    busy.generators[0].usage = [b if b.at >= third else a for a, b in zip(calm, hot, strict=True)]
    found = results(busy, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5000)}))
    assert found.highest is not None
    assert found.highest.part == "step 2"
    assert "the generator ended it at 9" in found.highest.ended_by
    assert found.highest.ended_by.endswith("the system may do more")
    assert (found.ending, found.invalid) == (Ending.PASSED, [])


def test_steps_of_which_none_held_are_broken_and_all_that_held_are_the_last() -> None:
    """Neither has an end that was found: both say so."""
    steps = facts(names=["step 1", "step 2"])
    none = results(steps, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5)}))
    assert none.highest is not None
    assert (none.highest.part, none.ending) == (None, Ending.BROKEN)
    assert "not even the first step held" in none.reasons[0]
    every = results(steps, run(steps=True), slo=Slo({kinds.MESSAGE: Limits(p99_ms=5000)}))
    assert every.highest is not None
    assert (every.highest.part, every.ending) == ("step 2", Ending.PASSED)
    assert every.highest.ended_by == "the last step held, too: the system may do more"


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
