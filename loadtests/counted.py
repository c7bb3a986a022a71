"""Which seconds of a run count for what. No I/O.

Measured phases count for every objective. Beside them:

- Connects and joins (`kinds.ARRIVALS`) count in the phases before a measured one, too: most of them are made there,
  while users arrive. Not where a generator was at its limit: what it timed then was itself.
- What comes after the last measured phase, in which nothing new is asked for, counts for every objective, unless the
  same is true of it: an answer that comes late, or never, was asked for while it was measured. Of a run step by step
  that is what was too much, and counts nowhere.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from loadtests import kinds, validity
from loadtests.facts import Phase, Process
from loadtests.slo import Slo, Span
from loadtests.timeline import Timeline

_SOME: Final = 20
"""Messages in a run: so many are no chance, if there are none in one of its steps."""


def before(phases: Sequence[Phase], phase: Phase) -> list[Phase]:
    """Those that are not measured and lie between `phase` and the measured one before it."""
    found: list[Phase] = []
    for each in phases:
        if each == phase:
            break
        found = [] if each.measured else [*found, each]
    return found


def after_all(phases: Sequence[Phase]) -> list[Phase]:
    """Those after the last that is measured."""
    measured = [number for number, each in enumerate(phases) if each.measured]
    return list(phases[measured[-1] + 1 :]) if measured else []


def fit(spans: Iterable[Span], generators: Sequence[Process]) -> list[Span]:
    """Those in which no generator was at its limit."""
    return [each for each in spans if unfit(each, generators) is None]


def unfit(span: Span, generators: Iterable[Process]) -> str | None:
    """Why what was timed says nothing of the system; None: it does. The arriving of few users is short."""
    for each in generators:
        used = [usage.cpu_percent for usage in each.usage if span[0] <= usage.at < span[1]]
        if limit := validity.limit([each], *span):
            return limit
        if 2 * (above := sum(cpu > validity.CPU_PERCENT for cpu in used)) > len(used):
            return f"{each.name} used more than {validity.CPU_PERCENT:.0f} % of a core in {above} of {len(used)} s"
    return None


def too_much(slo: Slo, timeline: Timeline, span: Span, arriving: Sequence[Span]) -> list[str]:
    """What was too much for the system in a step, in words; `arriving`: where its users did."""
    found = slo.broken(timeline, *span, arriving=arriving)
    if not timeline.total(kinds.MESSAGE, *span).succeeded and timeline.total(kinds.MESSAGE).succeeded >= _SOME:
        found.append("that a message is acknowledged: not one was")  # they may fail later than the step ends
    return found
