"""One chart over time, as SVG that stands in a page: small, without a script, in the page's own text colour."""

import html
import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from loadtests.report.results import Results
from loadtests.report.words import clock

COLORS: Final = ("#3987cf", "#e08214", "#2f9e62", "#8f6bd1", "#d1477a", "#1799a3", "#a87b38", "#808890")
BAD: Final = "#d63b3b"
_INK: Final = "#010203"
"""Stands for the colour of the page's text."""
_SIZE: Final = (6.4, 2.75)
_BAND: Final = "#808890"
_APART: Final = 0.035
"""Of the width: what a label of a moment needs."""
_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "parley",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": _INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.labelcolor": _INK,
    "axes.edgecolor": _BAND,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": _BAND,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "path.simplify": True,
    "path.simplify_threshold": 0.3,
}


class Canvas:
    """What a chart is drawn on. `svg` is empty until its drawing is done."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = ""
        self._colors = 0

    def next_color(self) -> str:
        """For the next thing that is told apart by colour."""
        self._colors += 1
        return COLORS[(self._colors - 1) % len(COLORS)]

    def line(
        self, at: Sequence[float], values: Sequence[float | None], label: str, color: str, style: str = "-"
    ) -> None:
        """A line with gaps where there is nothing; dots, when there are more gaps than line. No label: no legend."""
        points = [float("nan") if each is None else each for each in values]
        known = sum(each is not None for each in values)
        if known * 2 < len(points) or known < 3:
            mark = "." if style == "-" else "_"
            self.axes.plot(at, points, label=label, color=color, linestyle="none", marker=mark, markersize=5)
        else:
            self.axes.plot(at, points, label=label, color=color, linestyle=style)

    def bars(self, at: Sequence[float], values: Sequence[float], label: str, color: str) -> None:
        """One from zero for whatever is not."""
        some = [(second, value) for second, value in zip(at, values, strict=True) if value]
        seconds, heights = [each[0] for each in some], [each[1] for each in some]
        self.axes.vlines(seconds, 0, heights, label=label, color=color, linewidth=2)

    def marks(self, at: Sequence[float], values: Sequence[float], label: str, color: str) -> None:
        """One where there is anything."""
        some = [(second, value) for second, value in zip(at, values, strict=True) if value]
        seconds, heights = [each[0] for each in some], [each[1] for each in some]
        self.axes.plot(seconds, heights, label=label, color=color, linestyle="none", marker="D", markersize=4)


@contextmanager
def drawing(results: Results, name: str, about: str, unit: str, *, is_log: bool = False) -> Iterator[Canvas]:
    """A chart of the whole run, with its phases as bands and its moments as lines. `name` is unique in a page."""
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.add_subplot()
        chart = Canvas(axes)
        yield chart
        _axes(axes, results, unit, is_log=is_log)
        _phases(axes, results)
        _moments(axes, results)
        lines, labels = axes.get_legend_handles_labels()
        if labels:
            figure.legend(lines, labels, loc="outside lower center", ncols=min(len(labels), 4), fontsize=8)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
        chart.svg = _inline(out.getvalue(), name, about)


def _axes(axes: Axes, results: Results, unit: str, *, is_log: bool) -> None:
    axes.set_xlim(0, max(results.seconds, 1))
    axes.set_ylabel(unit)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 1.5, 2, 3, 6, 10], integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: clock(at)))
    if is_log:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        middle = math.sqrt(low * high)
        low, high = min(low, middle / 4), max(high, middle * 4)
        axes.set_ylim(low, high)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,), numticks=12))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, max(1.0, axes.get_ylim()[1] * 1.06))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))


def _phases(axes: Axes, results: Results) -> None:
    """Those that are measured as bands; a name where there is room for it, or its number."""
    whole = max(results.seconds, 1)
    for number, part in enumerate(each for each in results.parts if each.measured):
        axes.axvspan(part.begin, part.end, color=_BAND, alpha=0.09 + 0.09 * (number % 2), linewidth=0)
        room = (part.end - part.begin) / whole / 0.014
        short = part.name.split(":")[0]
        name = next((each for each in (part.name, short, short.split()[-1]) if len(each) - 0.5 < room), "")
        middle, where = (part.begin + part.end) / 2, axes.get_xaxis_transform()
        axes.text(middle, 1.015, name, transform=where, ha="center", va="bottom", fontsize=7.5)


def _moments(axes: Axes, results: Results) -> None:
    """Numbered as in the page's list; those that are too close to be told apart have one label."""
    near = max(results.seconds, 1) * _APART
    together: list[list[int]] = []
    for number, (at, _) in enumerate(results.moments, 1):
        axes.axvline(at, color=_INK, linewidth=0.8, linestyle=(0, (2, 2)), alpha=0.7)
        if together and at - results.moments[together[-1][0] - 1][0] < near:
            together[-1].append(number)
        else:
            together.append([number])
    for numbers in together:
        label = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
        axes.annotate(
            label,
            (results.moments[numbers[-1] - 1][0], 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3, -1),
            textcoords="offset points",
            va="top",
            fontsize=7.5,
        )


def _inline(svg: str, name: str, about: str) -> str:
    """Without its head; its ids are made unique, its size is the page's business, and it says what it shows."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (id|clip-path|xlink:href)="(url\()?(#?)([^")]+)', rf' \1="\2\g<3>{name}-\4', svg)
    svg = svg.replace(_INK, "currentColor").replace("font-family: 'DejaVu Sans'", "font-family: sans-serif")
    svg = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1), count=1
    )
    svg = svg.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-about" ', 1)
    return re.sub(
        r"(<svg[^>]*>)", lambda head: f'{head[1]}<title id="{name}-about">{html.escape(about)}</title>', svg, count=1
    )
