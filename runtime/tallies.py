"""Counters and histograms for what happens with every message.

prometheus_client's own take a lock and check their arguments, which is right, and costs a tenth of a publish when
half a dozen of them are moved. All of this program counts in one thread, so these are plain numbers, and become
samples when somebody scrapes (https://prometheus.github.io/client_python/collector/custom/).
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

Labels = tuple[str, ...]


class Tally(dict[Labels, int], Collector):
    """A counter: ``tally["join", "ok"] += 1``. Without labels the key is ``()``.

    What is in `known` is there from the start, at 0: if its series appeared with what happens first, no rate would
    see that. `known` holds keys, or plain words where there is one label.
    """

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str] = (), *, known: Iterable[str | Labels] = ()
    ) -> None:
        super().__init__(dict.fromkeys(_keys(labels, known), 0))
        self._name = name
        self._documentation = documentation
        self._labels = labels
        REGISTRY.register(self)

    __hash__ = object.__hash__  # type: ignore[assignment] # the registry keeps collectors in a dict

    def __missing__(self, key: Labels) -> int:
        return 0

    def collect(self) -> Iterator[CounterMetricFamily]:
        """See prometheus_client."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, count in list(self.items()):
            family.add_metric(labels, count)
        yield family


class Durations:
    """How long something took, in seconds, by `buckets`."""

    __slots__ = ("_buckets", "_counts", "_total")

    def __init__(self, buckets: Sequence[float]) -> None:
        self._buckets = buckets
        self._counts = [0] * (len(buckets) + 1)
        self._total = 0.0

    def observe(self, seconds: float) -> None:
        """It took so long."""
        self._counts[bisect_left(self._buckets, seconds)] += 1
        self._total += seconds

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Report."""
        count, buckets = 0, []
        for bound, more in zip((*self._buckets, float("inf")), self._counts, strict=True):
            count += more
            buckets.append(("+Inf" if bound == float("inf") else repr(float(bound)), float(count)))
        family.add_metric(labels, buckets, self._total)


class TimeTally(dict[Labels, Durations], Collector):
    """A histogram: ``tally["ok",].observe(seconds)``. Without labels the key is ``()``; `known` as of a `Tally`."""

    def __init__(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float],
        known: Iterable[str | Labels] = (),
    ) -> None:
        super().__init__({key: Durations(buckets) for key in _keys(labels, known)})
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self._buckets = buckets
        REGISTRY.register(self)

    __hash__ = object.__hash__  # type: ignore[assignment] # as above

    def __missing__(self, key: Labels) -> Durations:
        durations = self[key] = Durations(self._buckets)
        return durations

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """See prometheus_client."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, durations in list(self.items()):
            durations.add_to(family, labels)
        yield family


def _keys(labels: Sequence[str], known: Iterable[str | Labels]) -> Iterable[Labels]:
    if not labels:
        return [()]
    return [(each,) if isinstance(each, str) else each for each in known]
