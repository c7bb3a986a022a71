"""A panel's inside as HTML: a number, lines, a heat map, states, or a table."""

import html
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tests.support.grafana import called
from tests.support.pictures.units import written
from tests.support.prometheus import Series

PALETTE: Final = ("#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D")
COLORS: Final = {"green": "#73BF69", "yellow": "#F2CC0C", "red": "#F2495C", "blue": "#5794F2"}
_LEGEND_MOST: Final = 8
_TOP, _LEFT = 6, 62

Named = list[tuple[str, dict[float, float]]]
"""What the legend says, and its points."""


def named(found: Iterable[tuple[str, Series]]) -> Named:
    """The series of each target, with their legends filled in."""
    return [
        (called(legend, each["metric"]), {float(at): float(value) for at, value in each["values"]})
        for legend, series in found
        for each in series
    ]


def number(panel: Mapping[str, Any], series: Named) -> str:
    """The last value, large, in the colour of its step."""
    defaults = panel["fieldConfig"]["defaults"]
    if not series:
        return f"<div class=number>{html.escape(defaults['noValue'])}</div>"
    points = series[0][1]
    value = points[max(points)]
    color = "#5794F2"
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = COLORS[step["color"]]
    shown = _said(panel, value) or written(value, defaults["unit"], defaults.get("decimals"))
    is_filled = panel["options"]["colorMode"] == "background"
    style = f"background:{color};color:#fff" if is_filled else f"color:{color}"
    return f"<div class=number style='{style}'>{html.escape(shown)}</div>"


def lines(panel: Mapping[str, Any], series: Named, width: int, height: int) -> str:
    """Lines over time, stacked if the panel says so, with a legend."""
    custom, unit = panel["fieldConfig"]["defaults"]["custom"], panel["fieldConfig"]["defaults"]["unit"]
    series = sorted(series, key=lambda each: -max(each[1].values()))
    shown = series[:_LEGEND_MOST]
    height -= 17 * (len(shown) + 2) + 30
    is_stacked = custom.get("stacking", {}).get("mode") == "normal"
    drawn = _stacked(series) if is_stacked else series
    values = [value for _, points in drawn for value in points.values()]
    top = panel["fieldConfig"]["defaults"].get("max") or max([*values, 0.0]) * 1.05 or 1.0
    scale = custom.get("scaleDistribution", {})
    bend = scale.get("linearThreshold", 1) if scale.get("type") == "symlog" else 0
    y = _axis(min([*values, 0.0]), top, height, bend)
    x = _time(drawn, width)
    parts = [_grid(y, top, bend, unit, width)]
    if custom.get("thresholdsStyle", {}).get("mode") == "dashed":
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
            if step["value"] <= top:
                at, color = y(step["value"]), COLORS[step["color"]]
                parts.append(f"<path d='M{_LEFT} {at}H{width}' stroke='{color}' stroke-dasharray='6 4'/>")
    for place, (_, points) in enumerate(drawn):
        path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in sorted(points.items()))
        parts.append(
            f"<polyline points='{path}' fill=none stroke='{PALETTE[place % len(PALETTE)]}' stroke-width=1.4 />"
        )
    rows = [_legend(place, name, points, unit) for place, (name, points) in enumerate(shown)]
    more = f"<tr><td>and {len(series) - len(shown)} more" if len(series) > len(shown) else ""
    head = "<tr><th>Name<th>Last<th>Max"
    return f"<svg width={width} height={height + 16}>{''.join(parts)}</svg><table>{head}{''.join(rows)}{more}</table>"


def heat(panel: Mapping[str, Any], series: Named, width: int, height: int) -> str:
    """Buckets over time: the darker, the more."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    buckets = sorted(
        ((math.inf if name == "+Inf" else float(name), points) for name, points in series), key=lambda b: b[0]
    )
    cells: list[tuple[int, float, float]] = []
    for place, (_, points) in enumerate(buckets):
        below = buckets[place - 1][1] if place else {}
        cells += [(place, at, value - below.get(at, 0)) for at, value in points.items()]
    x, step = _time(series, width), (height - 56) / max(len(buckets), 1)
    most = max([value for _, _, value in cells] or [1])
    parts = [
        f"<rect x={x(at):.1f} y={_TOP + (len(buckets) - 1 - place) * step:.1f} width=5 height={step:.1f}"
        f" fill='#FF780A' opacity={0.15 + 0.85 * value / most:.2f} />"
        for place, at, value in cells
        if value > 1e-9
    ]
    parts += [
        f"<text x=2 y={_TOP + (len(buckets) - 0.3 - place) * step:.1f}>"
        f"{'more' if math.isinf(le) else written(le, unit)}</text>"
        for place, (le, _) in enumerate(buckets)
    ]
    return f"<svg width={width} height={height - 44}>{''.join(parts)}</svg>"


def states(panel: Mapping[str, Any], series: Named, width: int, height: int) -> str:
    """A bar for each series, coloured by its value."""
    options = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    x, step = _time(series, width), min(30, (height - 60) / max(len(series), 1))
    parts = []
    for place, (name, points) in enumerate(series):
        parts.append(f"<text x=0 y={(place + 0.7) * step:.0f}>{html.escape(name)}</text>")
        for at, value in points.items():
            color = COLORS[options[f"{value:g}"]["color"]]
            parts.append(
                f"<rect x={x(at):.1f} y={place * step:.0f} width=6 height={step * 0.8:.0f} fill='{color}' />"
            )
    words = " ".join(f"<b style='color:{COLORS[each['color']]}'>{each['text']}</b>" for each in options.values())
    return f"<svg width={width} height={height - 60}>{''.join(parts)}</svg>{words}"


def rows(panel: Mapping[str, Any], found: Series) -> str:
    """A table, with the columns that the panel keeps."""
    kept = panel["transformations"][0]["options"]
    titles = {
        label: kept["renameByName"][label] for label in sorted(kept["indexByName"], key=kept["indexByName"].get)
    }
    unit = panel["fieldConfig"]["defaults"]["unit"]
    body = []
    for each in found[:12]:
        value = float(each["values"][-1][1])
        shown = _said(panel, value) or written(value, unit)
        cells = [shown if label == "Value" else each["metric"].get(label, "") for label in titles]
        body.append("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells))
    return f"<table><tr>{''.join(f'<th>{title}' for title in titles.values())}{''.join(body)}</table>"


def _said(panel: Mapping[str, Any], value: float) -> str:
    mappings = panel["fieldConfig"]["defaults"].get("mappings") or [{"options": {}}]
    return str(mappings[0]["options"].get(f"{value:g}", {}).get("text", ""))


def _stacked(series: Named) -> Named:
    total: dict[float, float] = {}
    drawn: Named = []
    for name, points in series:
        total = {at: total.get(at, 0) + points.get(at, 0) for at in total.keys() | points.keys()}
        drawn.append((name, dict(total)))
    return drawn


def _time(series: Named, width: int) -> Callable[[float], float]:
    times = [at for _, points in series for at in points] or [0, 1]
    start, end = min(times), max(times)
    return lambda at: _LEFT + (width - _LEFT - 8) * (at - start) / ((end - start) or 1)


def _axis(least: float, top: float, height: int, bend: float) -> Callable[[float], float]:
    def bent(value: float) -> float:
        return math.copysign(math.log10(1 + abs(value) / bend), value) if bend else value

    low, span = bent(least), bent(top) - bent(least)
    return lambda value: _TOP + (height - _TOP) * (1 - (bent(value) - low) / (span or 1))


def _grid(y: Callable[[float], float], top: float, bend: float, unit: str, width: int) -> str:
    marks = [top * part / 4 for part in range(5)]
    if bend:
        marks = [0, *(10**power for power in range(math.floor(math.log10(bend)), math.ceil(math.log10(top))))]
    return "".join(
        f"<path d='M{_LEFT} {y(mark):.1f}H{width}' stroke='#8884'/>"
        f"<text x=0 y={y(mark) + 4:.1f}>{written(mark, unit)}</text>"
        for mark in marks
    )


def _legend(place: int, name: str, points: dict[float, float], unit: str) -> str:
    last, most = points[max(points)], max(points.values())
    color = PALETTE[place % len(PALETTE)]
    said = html.escape(name) or "<i>NO NAME</i>"
    return f"<tr><td><b style='color:{color}'>━</b> {said}<td>{written(last, unit)}<td>{written(most, unit)}"
