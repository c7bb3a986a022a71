"""What was measured, in numbers: of spans of a timeline, and over time. No I/O."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from loadtests import facts, kinds
from loadtests.report.results import Figures, Series, Usage
from loadtests.slo import Span
from loadtests.timeline import Second, Timeline, sum_of

POINTS_MOST: Final = 1800
"""In one line of a chart: half an hour second by second."""
_LEVEL_SECONDS: Final = 3
"""Processes tell their levels every second, but not at the same moment."""


def figures(timeline: Timeline, spans: Sequence[Span]) -> list[Figures]:
    """Of every kind that there was in all of `spans` together."""
    seconds = sum(end - begin for begin, end in spans)
    found: list[Figures] = []
    for kind in timeline.kinds():
        total = sum_of(timeline.total(kind, *span) for span in spans)
        percentiles = [_milliseconds(total.percentile(part)) for part in (0.5, 0.95, 0.99, 0.999)]
        if total.succeeded or total.failed:
            rate = total.succeeded / seconds if seconds > 0 else 0.0
            found.append(Figures(kind, total.succeeded, dict(sorted(total.failures.items())), rate, *percentiles))
    order = {kind: place for place, kind in enumerate(kinds.KINDS)}
    return sorted(found, key=lambda each: (order.get(each.kind, len(order)), each.kind))


def level(timeline: Timeline, name: str, begin: float, end: float) -> float:
    """How many there were at the end of a span."""
    last = [second.levels.get(name, 0.0) for _, second in timeline.between(begin, end) if name in second.levels]
    return max(last[-_LEVEL_SECONDS:], default=0.0)


def span_of(seconds: float) -> int:
    """How many seconds one point of a run that lasted so long stands for."""
    return max(1, -(-int(seconds) // POINTS_MOST))


def series(timeline: Timeline, began: float, span: int) -> Series:
    """All of it over time; seconds in which nothing happened are zeros."""
    points = list(_points(timeline, int(began), span))
    names = timeline.kinds()
    rates = {kind: [_per_second(seconds, kind, span) for _, seconds in points] for kind in names}
    counted = {name for second in timeline.seconds.values() for name in second.counts}
    for name in sorted({kinds.DELIVERIES, kinds.EVENTS_SENT} & counted):
        rates[name] = [sum(each.counts.get(name, 0) for each in seconds) / span for _, seconds in points]
    return Series(
        seconds=[at for at, _ in points],
        connected=list(_levels(points, kinds.CONNECTED)),
        drops=[sum(each.counts.get(kinds.DROPS, 0) for each in seconds) for _, seconds in points],
        rates=rates,
        failures=[sum(b.failed for each in seconds for b in each.kinds.values()) for _, seconds in points],
        p50={kind: [_worst(seconds, kind, 0.5) for _, seconds in points] for kind in names},
        p99={kind: [_worst(seconds, kind, 0.99) for _, seconds in points] for kind in names},
        users=list(_levels(points, kinds.USERS)),
        span=span,
    )


def usage(process: facts.Process, began: float, span: int) -> Usage:
    """A process over time: the most in each span."""
    found: dict[int, list[facts.Usage]] = {}
    for each in sorted(process.usage, key=lambda used: used.at):
        if each.at >= int(began):
            found.setdefault((each.at - int(began)) // span * span, []).append(each)
    return Usage(
        name=process.name,
        seconds=list(found),
        cpu_percent=[max(each.cpu_percent for each in used) for used in found.values()],
        memory_mib=[max(each.memory_bytes for each in used) / 2**20 for used in found.values()],
        connections=[
            max((c for u in used if (c := u.connections) is not None), default=None) for used in found.values()
        ],
    )


Points = Sequence[tuple[int, Sequence[Second]]]


def _points(timeline: Timeline, began: int, span: int) -> Iterator[tuple[int, list[Second]]]:
    numbers = [number for number in timeline.seconds if number >= began]
    for at in range(began, max(numbers, default=began - 1) + 1, span):
        yield at - began, [timeline.seconds[n] for n in range(at, at + span) if n in timeline.seconds]


def _levels(points: Points, name: str) -> Iterator[float]:
    """A second in which nobody told keeps what was told before."""
    last = 0.0
    for _, seconds in points:
        last = next((each.levels[name] for each in reversed(seconds) if name in each.levels), last)
        yield last


def _per_second(seconds: Iterable[Second], kind: str, span: int) -> float:
    return sum(each.kinds[kind].succeeded for each in seconds if kind in each.kinds) / span


def _worst(seconds: Iterable[Second], kind: str, part: float) -> float | None:
    found = [_milliseconds(each.kinds[kind].percentile(part)) for each in seconds if kind in each.kinds]
    return max((each for each in found if each is not None), default=None)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
