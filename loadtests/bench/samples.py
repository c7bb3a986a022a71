"""What was measured, and the arithmetic on it: medians, spread, ratios. No I/O."""

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """One measurement of one target. `failure` says why there are no figures, `remarks` how to read them."""

    case: str
    connections: int
    repeat: int
    target: str
    figures: dict[str, float] = {}
    failure: str = ""
    remarks: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True):
    """Of one figure over all repeats."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))


class Samples:
    """All of a run."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self.all = list(samples)

    def add(self, sample: Sample) -> None:
        """One more."""
        self.all.append(sample)

    def values(self, case: str, connections: int, figure: str, target: str) -> dict[int, float]:
        """By repeat."""
        return {
            each.repeat: each.figures[figure]
            for each in self.all
            if (each.case, each.connections, each.target) == (case, connections, target) and figure in each.figures
        }

    def summary(self, case: str, connections: int, figure: str, target: str) -> Summary | None:
        """None when it was not measured."""
        values = list(self.values(case, connections, figure, target).values())
        return Summary.of(values) if values else None

    def ratio(self, case: str, connections: int, figure: str, target: str, to: str) -> Summary | None:
        """Of `target`'s figure to that of `to` in the same repeat; None when there is no such repeat."""
        return self.ratios(self.values(case, connections, figure, target), self.values(case, connections, figure, to))

    def growth(self, case: str, figure: str, target: str, fewest: int, most: int) -> Summary | None:
        """Of the figure at `most` connections to that at `fewest` in the same repeat."""
        return self.ratios(self.values(case, most, figure, target), self.values(case, fewest, figure, target))

    def figures(self, case: str) -> list[str]:
        """The names of all figures of a case, in the order in which they were measured."""
        return list(dict.fromkeys(name for each in self.all if each.case == case for name in each.figures))

    def targets(self) -> list[str]:
        """Their names, in the order in which they were first measured."""
        return list(dict.fromkeys(each.target for each in self.all))

    def failures(self) -> list[Sample]:
        """Measurements that came to nothing."""
        return [each for each in self.all if each.failure]

    def remarks(self) -> dict[str, list[str]]:
        """How to read some; and in which repeats that was so."""
        found: dict[str, list[str]] = {}
        for each in self.all:
            for remark in each.remarks:
                title = f"{each.case}, {each.connections:,} connections, {each.target}: {remark}"
                found.setdefault(title, []).append(str(each.repeat + 1))
        return found

    @staticmethod
    def ratios(above: dict[int, float], below: dict[int, float]) -> Summary | None:
        """Over the repeats that are in both."""
        ratios = [above[repeat] / below[repeat] for repeat in above if below.get(repeat)]
        return Summary.of(ratios) if ratios else None
