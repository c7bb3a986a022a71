"""A counter for what happens with every packet: prometheus_client's takes a lock, and costs ten times as much.

All of the edge counts in one thread, so this is a plain number, which becomes a sample when somebody scrapes.
"""

from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class PlainCount(Collector):
    """``count.value += 1``."""

    def __init__(self, name: str, documentation: str) -> None:
        self.value = 0
        self._name = name
        self._documentation = documentation
        REGISTRY.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """See prometheus_client."""
        yield CounterMetricFamily(self._name, self._documentation, value=self.value)
