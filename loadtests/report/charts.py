"""The charts of a run: what is in them, and in which order."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from loadtests import kinds
from loadtests.report.drawing import BAD, drawing
from loadtests.report.results import Results, Usage
from loadtests.validity import CPU_PERCENT

_LINES_MOST: Final = 8
_SENDING: Final = (kinds.CONNECT, kinds.CONNECT_UPGRADED, kinds.MESSAGE, kinds.DELIVERY, kinds.EVENT)
_OTHER: Final = (kinds.JOIN, kinds.RESUME, kinds.RECONNECT, kinds.TYPING, kinds.PAGE)


class Chart(msgspec.Struct, frozen=True):
    """One, with what it says to those who cannot see it."""

    title: str
    about: str
    svg: str


def charts(results: Results) -> list[Chart]:
    """All that there is anything in."""
    found = [draw(results) for draw in _ALL]
    return [each for each in found if each is not None]


def _connections(results: Results) -> Chart | None:
    series = results.series
    about = f"Connections over time: {max(series.connected, default=0):,.0f} at most."
    with drawing(results, "connections", about, "at a time") as chart:
        if any(series.users):
            chart.line(series.seconds, series.users, "users", "#808890", "--")
        chart.line(series.seconds, series.connected, "connected", chart.next_color())
    return Chart("Connections and users", about, chart.svg)


def _rates(results: Results) -> Chart | None:
    names = [each for each in (kinds.MESSAGE, kinds.EVENTS_SENT, kinds.TYPING) if any(_rate(results, each))]
    return _of_rates(results, "sent", "Sent", names)


def _deliveries(results: Results) -> Chart | None:
    names = [each for each in (kinds.DELIVERIES, kinds.EVENT) if any(_rate(results, each))]
    return _of_rates(results, "delivered", "Delivered", names)


def _arrivals(results: Results) -> Chart | None:
    names = (kinds.CONNECT, kinds.CONNECT_UPGRADED, kinds.JOIN, kinds.RESUME, kinds.RECONNECT, kinds.PAGE)
    return _of_rates(results, "arrivals", "Connects, joins and pages", [n for n in names if any(_rate(results, n))])


def _of_rates(results: Results, name: str, title: str, names: Sequence[str]) -> Chart | None:
    if not names:
        return None
    most = ", ".join(f"{each} {max(_rate(results, each)):,.0f}" for each in names)
    about = f"{title}, a second, over time. At most: {most}."
    with drawing(results, name, about, "a second") as chart:
        for each in names:
            chart.line(results.series.seconds, _rate(results, each), _RATE_NAMES.get(each, each), chart.next_color())
    return Chart(f"{title}, a second", about, chart.svg)


_RATE_NAMES: Final = {kinds.MESSAGE: "messages acknowledged", kinds.DELIVERIES: "messages", kinds.EVENT: "events"}


def _rate(results: Results, kind: str) -> Sequence[float]:
    return results.series.rates.get(kind, [])


def _latencies(results: Results) -> Chart | None:
    return _percentiles(results, "latencies", "Latency: connect, acknowledgement, end to end", _SENDING)


def _other_latencies(results: Results) -> Chart | None:
    return _percentiles(results, "other-latencies", "Latency: the rest", _OTHER)


def _percentiles(results: Results, name: str, title: str, wanted: Sequence[str]) -> Chart | None:
    series = results.series
    names = [each for each in wanted if any(value is not None for value in series.p99.get(each, []))]
    if not names:
        return None
    worst = ", ".join(f"{each} {max(filter(None, series.p99[each]), default=0):,.0f} ms" for each in names)
    about = f"{title}, p99 and p50 of each second, on a log axis. The worst p99: {worst}."
    with drawing(results, name, about, "ms", is_log=True) as chart:
        for each in names:
            color = chart.next_color()
            chart.line(series.seconds, series.p99[each], each, color)
            chart.line(series.seconds, series.p50[each], "", color, ":")
    return Chart(f"{title} (p99; dotted: p50)", about, chart.svg)


def _failures(results: Results) -> Chart | None:
    series = results.series
    about = f"Failed requests, {sum(series.failures):,} in all, and dropped connections, {sum(series.drops):,}."
    unit = "in a second" if series.span == 1 else f"in {series.span} seconds"
    with drawing(results, "failures", about, unit) as chart:
        chart.bars(series.seconds, series.failures, "failed requests", BAD)
        chart.marks(series.seconds, series.drops, "dropped connections", "#e08214")
    return Chart("Failures and drops", about, chart.svg)


def _gateways_cpu(results: Results) -> Chart | None:
    return _usage(results, results.gateways, "gateways-cpu", "Gateways: CPU", _CPU)


def _gateways_memory(results: Results) -> Chart | None:
    return _usage(results, results.gateways, "gateways-memory", "Gateways: memory", _MEMORY)


def _others_cpu(results: Results) -> Chart | None:
    return _usage(results, results.others, "others-cpu", "The rest of the system: CPU", _CPU)


def _others_memory(results: Results) -> Chart | None:
    return _usage(results, results.others, "others-memory", "The rest of the system: memory", _MEMORY)


def _generators_cpu(results: Results) -> Chart | None:
    return _usage(results, results.generators, "generators-cpu", "Load generators: CPU", (*_CPU[:2], CPU_PERCENT))


Use = tuple[str, Callable[[Usage], list[float]], float | None]
"""The unit, the values, and their limit."""
_CPU: Final[Use] = ("% of a core", lambda used: used.cpu_percent, None)
_MEMORY: Final[Use] = ("MiB", lambda used: used.memory_mib, None)


def _usage(results: Results, processes: Sequence[Usage], name: str, title: str, use: Use) -> Chart | None:
    unit, values, limit = use
    used = [each for each in processes if each.seconds]
    if not used:
        return None
    most = max(value for each in used for value in values(each))
    about = f"{title}, in {unit}, of {len(used)} processes: {most:,.0f} at most."
    with drawing(results, name, about, unit) as chart:
        if limit is not None:
            chart.axes.axhline(limit, color=BAD, linewidth=1, linestyle="--", label=f"{limit:.0f} %: the limit")
        for label, points in _lines(used, values).items():
            chart.line(list(points), list(points.values()), label, chart.next_color())
    return Chart(title, about, chart.svg)


def _lines(used: Sequence[Usage], values: Callable[[Usage], list[float]]) -> dict[str, dict[int, float]]:
    """By name; of many, the highest and the mean."""
    each_one = {each.name: dict(zip(each.seconds, values(each), strict=True)) for each in used}
    if len(each_one) <= _LINES_MOST:
        return each_one
    at = sorted({second for points in each_one.values() for second in points})
    there = {second: [points[second] for points in each_one.values() if second in points] for second in at}
    return {
        f"the highest of {len(each_one)}": {second: max(found) for second, found in there.items()},
        "the mean": {second: sum(found) / len(found) for second, found in there.items()},
    }


_ALL: Final[tuple[Callable[[Results], Chart | None], ...]] = (
    _connections,
    _failures,
    _rates,
    _deliveries,
    _latencies,
    _other_latencies,
    _arrivals,
    _generators_cpu,
    _gateways_cpu,
    _gateways_memory,
    _others_cpu,
    _others_memory,
)
