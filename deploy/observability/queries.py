"""PromQL as the dashboards say it: the same few shapes, with the same labels, over and over."""

from dataclasses import dataclass

WINDOW = "$__rate_interval"
"""What Grafana makes of it is never shorter than four scrapes."""


@dataclass(frozen=True)
class Metrics:
    """The metrics that have certain labels: `where`, as PromQL has them between braces.

    `only` are more labels of the same kind, `by` the labels that are kept.
    """

    where: str = ""

    def of(self, name: str, only: str = "") -> str:
        """The series themselves."""
        matchers = ",".join(each for each in (self.where, only) if each)
        return f"{name}{{{matchers}}}" if matchers else name

    def sum(self, name: str, *by: str, only: str = "") -> str:
        """Of a gauge."""
        return f"sum{_by(by)} ({self.of(name, only)})"

    def max(self, name: str, *by: str, only: str = "") -> str:
        """Of a gauge."""
        return f"max{_by(by)} ({self.of(name, only)})"

    def rate(self, name: str, *by: str, only: str = "", over: str = WINDOW) -> str:
        """A second, of a counter."""
        return f"sum{_by(by)} (rate({self.of(name, only)}[{over}]))"

    def increase(self, name: str, *by: str, only: str = "", over: str = WINDOW) -> str:
        """By how much a counter has risen."""
        return f"sum{_by(by)} (increase({self.of(name, only)}[{over}]))"

    def quantile(self, share: float, name: str, *by: str, only: str = "", over: str = WINDOW) -> str:
        """Of a histogram, which is named without `_bucket`."""
        buckets = self.rate(f"{name}_bucket", "le", *by, only=only, over=over)
        return f"histogram_quantile({share:g}, {buckets})"

    def mean(self, name: str, *by: str, only: str = "") -> str:
        """Of a histogram."""
        return f"{self.rate(f'{name}_sum', *by, only=only)} / {self.rate(f'{name}_count', *by, only=only)}"

    def buckets(self, name: str, only: str = "") -> str:
        """Of a histogram, for a heat map."""
        return self.increase(f"{name}_bucket", "le", only=only)


def or_none(expression: str) -> str:
    """0 where there is nothing: of what does not exist as long as all is well."""
    return f"({expression}) or vector(0)"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
