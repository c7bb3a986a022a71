"""From facts to results: all that is known of a run is judged and counted. No I/O."""

import math
import time
from collections.abc import Sequence

import msgspec

from checker.judge import Verdict, judge
from loadtests import kinds, validity
from loadtests.facts import Facts, Phase, Process
from loadtests.report import measured, steps
from loadtests.report.ending import ending
from loadtests.report.results import Counts, Environment, Part, Results
from loadtests.slo import Slo, Span


class Run(msgspec.Struct):
    """What is known of a run beside the facts."""

    tool: str
    """`locust` or `connections`."""
    began: float
    """In seconds of the epoch."""
    settings: dict[str, str | int | float | bool | None]
    target: str
    """In words: "two gateways of a stack of its own", or addresses."""
    urls: list[str]
    """Of gateways: where the rooms' histories are read."""
    token: str
    """Of any user. It is written nowhere."""
    slo: Slo
    gateways: list[Process] = []
    """What the gateways used, second by second; and, of an own stack, whatever else there was."""
    steps: bool = False
    """Whether it went up step by step, and the highest is to be found: the steps are its measured phases."""


def assemble(facts: Facts, run: Run, environment: Environment) -> Results:
    """Equal facts come to equal results. The histories are in the account already.

    A run step by step is held to its objectives up to the highest step that kept them: what comes above is broken
    by design.
    """
    timeline, verdict = facts.timeline, judge(facts.account)
    phases = [each for each in facts.phases if each.end > each.begin]
    parts = [_part(facts, run, each, _span(each, phases)) for each in phases]
    highest = steps.highest(facts, parts, run.began) if run.steps else None
    counting = steps.counting(parts) if run.steps else [each for each in parts if each.measured]
    spans: list[Span] = [(run.began + each.begin, run.began + each.end) for each in counting]
    until = max((end for _, end in spans), default=math.inf) if run.steps else math.inf
    invalid = validity.reasons(facts, until=until)
    objectives = run.slo.objectives(timeline, spans)
    how, why = ending(verdict, invalid, objectives, highest)
    end = _end(facts, run)
    span = measured.span_of(end - run.began)
    return Results(
        tool=run.tool,
        began=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.began)),
        seconds=end - run.began,
        settings=run.settings,
        environment=environment,
        ending=how,
        counts=_counts(verdict),
        objectives=objectives,
        figures=measured.figures(timeline, spans),
        parts=parts,
        moments=sorted((each.at - run.began, each.text) for each in facts.moments),
        series=measured.series(timeline, run.began, span),
        gateways=[measured.usage(each, run.began, span) for each in _by_name(run.gateways) if _is_gateway(each)],
        others=[measured.usage(each, run.began, span) for each in _by_name(run.gateways) if not _is_gateway(each)],
        generators=[measured.usage(each, run.began, span) for each in _by_name(facts.generators)],
        greeted=dict(sorted(facts.gateways.items())),
        reasons=why,
        unmeasured=measured.figures(timeline, [_span(each, phases) for each in phases if not each.measured]),
        highest=highest,
        invalid=invalid,
        warnings=validity.warnings(facts),
        crashes=facts.crashes,
    )


def _span(phase: Phase, phases: Sequence[Phase]) -> Span:
    """Seconds are whole: one in which a phase gives way to the next is the former's, and before the first is none."""
    return (math.floor(phase.begin) if phase is phases[0] else phase.begin, phase.end)


def _part(facts: Facts, run: Run, phase: Phase, span: Span) -> Part:
    broken = run.slo.broken(facts.timeline, *span) if phase.measured else []
    if run.steps and phase.measured and (limit := validity.limit(facts.generators, *span)):
        broken = [*broken, f"{steps.GENERATOR}: {limit}"]
    return Part(
        name=phase.name,
        begin=phase.begin - run.began,
        end=phase.end - run.began,
        measured=phase.measured,
        connected=measured.level(facts.timeline, kinds.CONNECTED, *span),
        figures=measured.figures(facts.timeline, [span]),
        drops=facts.timeline.counted(kinds.DROPS, *span),
        broken=broken,
        deliveries_per_second=facts.timeline.counted(kinds.DELIVERIES, *span) / (phase.end - phase.begin),
    )


def _counts(verdict: Verdict) -> Counts:
    told_apart = ("lost", "duplicate", "out of order")
    return Counts(
        sent=verdict.sent,
        acknowledged=verdict.acknowledged,
        refused=verdict.refused,
        unconfirmed=verdict.unconfirmed,
        expected=verdict.expected,
        received=verdict.received,
        duplicates=verdict.duplicates,
        out_of_order=verdict.out_of_order,
        lost=verdict.lost,
        other={str(kind): n for kind, n in sorted(verdict.counts.items()) if not kind.startswith(told_apart)},
        stays=verdict.stays,
        cut_off=verdict.stays_cut_off,
        first=[f"{e.kind}: {e.room} seq {e.seq} id {e.id}, reader {e.reader}" for e in verdict.shown],
    )


def _end(facts: Facts, run: Run) -> float:
    """Of the last phase; of the last second in which anything happened, without phases."""
    ends = [each.end for each in facts.phases] or [float(max(facts.timeline.seconds, default=run.began))]
    return max(run.began, *ends)


def _is_gateway(process: Process) -> bool:
    """Whether it told how many connections it has."""
    return any(each.connections is not None for each in process.usage)


def _by_name(processes: Sequence[Process]) -> list[Process]:
    return sorted(processes, key=lambda each: (len(each.name), each.name))
