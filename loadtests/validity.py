"""Whether a run says anything about the system, or only about what made the load. No I/O.

The rules, each for a single process that makes load, in the measured seconds: those of phases in which all SLOs
count. While users arrive a generator may be above them: then what they do there counts nowhere (`counted`).

- CPU above 90 % of a core for five seconds in a row, or in a tenth of the seconds (five at least). A loop that has no
  time left makes every duration longer by its own queue; and a tenth is far more than the worst hundredth, which a
  p99 tells of.
- The loop stood still for more than 2 s; or it was late by more than 200 ms in more than one second of a hundred
  (three at least).
- Files or local ports were exhausted, at any time: those users were not there.
- Clocks, a worker lost, and what else the generators have found themselves (`Facts.invalid`).
- Nothing was measured, or nobody told what the generators used.

A run step by step is ended by the limit of its generator by design: `until` is where the last step ends that held,
and what came later does not count, but for clocks. `limit` says whether a generator was the limit of one step.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from loadtests import kinds
from loadtests.facts import Facts, Phase, Process, Usage

CPU_PERCENT: Final = 90.0
CPU_SECONDS: Final = 5
_CPU_SHARE: Final = 0.1
STANDSTILL_SECONDS: Final = 2.0
LAG_SECONDS: Final = 0.2
_LAG_SHARE: Final = 0.01
_LAG_LEAST: Final = 3
_WAITING_PERCENT: Final = 10.0
_APART_SECONDS: Final = 1.0


def reasons(facts: Facts, *, until: float = math.inf) -> list[str]:
    """Why the run is not valid, one line each; empty: it is."""
    phases = _measured(facts, until)
    found = list(dict.fromkeys(facts.invalid))
    found += [f"the load test itself went wrong: {each}" for each in facts.crashes]
    for code in kinds.EXHAUSTED:
        if times := _failures(facts, code, until):
            found.append(f"{times} times there were {code} for a connection on a generator's host")
    found += [line for each in facts.generators for line in _limits(each, phases)]
    if phases and not any(_used(each, phases) for each in facts.generators):
        found.append("no generator told what it used while it was measured")
    if not phases:
        found.append("no phase was measured")
    elif not any(
        facts.timeline.total(kind, each.begin, each.end).succeeded for each in phases for kind in kinds.KINDS
    ):
        found.append("nothing succeeded in any measured phase, so there is nothing to tell")
    return found


def limit(generators: Iterable[Process], begin: float, end: float) -> str | None:
    """Why a generator was the limit between two times of the epoch; None: none was. Of a step, say."""
    phases = [Phase("step", begin, end)]
    return next((line for each in generators for line in _limits(each, phases)), None)


def warnings(facts: Facts) -> list[str]:
    """What a reader of the figures has to know, one line each, though the run may be valid."""
    found = list(dict.fromkeys(facts.warnings))
    untimed, delivered = facts.timeline.counted(kinds.UNTIMED), facts.timeline.counted(kinds.DELIVERIES)
    if untimed:
        share = 100 * untimed / max(delivered, untimed)
        found.append(f"{share:.0f} % of the deliveries came from another host: they were counted, and not timed")
    if truncated := facts.timeline.counted(kinds.TRUNCATED):
        found.append(
            f"{truncated} resumes brought the newest of what was missed: the rest is in history, and owed to nobody"
        )
    if not facts.settled:
        found.append("not everything had arrived when waiting for it was given up")
    measured = _measured(facts, math.inf)
    for each in facts.generators:
        used = _used(each, measured)
        waited = [usage.waiting_percent for usage in used if usage.waiting_percent is not None]
        if waited and (mean := sum(waited) / len(waited)) > _WAITING_PERCENT:
            found.append(
                f"{each.name} waited {mean:.0f} % of the time for a core that others had: its machine was busy"
            )
        late = [usage.lag_seconds for usage in used if (usage.lag_seconds or 0) > LAG_SECONDS]
        if late and not list(_lags(each.name, used)):
            most = 1000 * max(filter(None, late))
            found.append(f"{each.name} was late in {len(late)} of {len(used)} s, by {most:.0f} ms at most")
    return found


def _measured(facts: Facts, until: float) -> list[Phase]:
    ends = [(each, min(each.end, until)) for each in facts.phases if each.measured]
    return [Phase(each.name, each.begin, end) for each, end in ends if each.begin < end]


def _failures(facts: Facts, code: str, until: float) -> int:
    seconds = facts.timeline.between(0.0, until)
    return sum(bucket.failures.get(code, 0) for _, second in seconds for bucket in second.kinds.values())


def _used(process: Process, phases: list[Phase]) -> list[Usage]:
    """In these phases, by time."""
    # The second in which a phase begins is partly of what was before it.
    used = [each for each in process.usage if any(phase.begin <= each.at < phase.end for phase in phases)]
    return sorted(used, key=lambda usage: usage.at)


def _limits(process: Process, phases: list[Phase]) -> Iterator[str]:
    used = _used(process, phases)
    above = [each for each in used if each.cpu_percent > CPU_PERCENT]
    row = max((_longest_row(_used(process, each)) for each in _joined(phases)), default=0)
    if row >= CPU_SECONDS:
        yield f"{process.name} used more than {CPU_PERCENT:.0f} % of a core for {row} s in a row"
    elif len(above) >= max(CPU_SECONDS, _CPU_SHARE * len(used)):
        yield f"{process.name} used more than {CPU_PERCENT:.0f} % of a core in {len(above)} of {len(used)} s"
    yield from _lags(process.name, used)


def _joined(phases: list[Phase]) -> Iterator[list[Phase]]:
    """Those together that follow each other within a second: what lies between others is not measured."""
    together: list[Phase] = []
    for each in phases:
        if together and each.begin - together[-1].end > _APART_SECONDS:
            yield together
            together = []
        together.append(each)
    if together:
        yield together


def _longest_row(used: list[Usage]) -> int:
    """Of seconds above; those between two that are, of which a busy process has told nothing, are above, too."""
    longest, began = 0, None
    for before, each in pairwise([None, *used]):
        if each is None or each.cpu_percent <= CPU_PERCENT:
            began = None
            continue
        if began is None or before is None:
            began = each.at
        longest = max(longest, each.at - began + 1)
    return longest


def _lags(name: str, used: list[Usage]) -> Iterator[str]:
    lags = [each.lag_seconds or 0.0 for each in used]
    late = [each for each in lags if each > LAG_SECONDS]
    if late and max(late) > STANDSTILL_SECONDS:
        yield f"{name} stood still for {max(late):.1f} s"
    elif len(late) >= max(_LAG_LEAST, _LAG_SHARE * len(lags)):
        yield f"{name} was late by more than {1000 * LAG_SECONDS:.0f} ms in {len(late)} of {len(lags)} s"
