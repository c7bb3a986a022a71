"""Panels of one style. Each has a unit and says what it means and when to worry.

`queries` are PromQL by what the legend calls it (with `{{label}}`).
"""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.observability.panel import Panel, Queries, base, mapped
from deploy.observability.steps import GREEN, Steps

_PLAIN: Steps = ((GREEN, 0),)


def number(
    title: str,
    means: str,
    unit: str,
    query: str,
    *,
    steps: Steps = _PLAIN,
    width: int = 3,
    height: int = 4,
    empty: str = "no traffic",
    says: Mapping[str, str] | None = None,
    decimals: int | None = None,
    runbooks: Sequence[str] = (),
) -> Panel:
    """One value as it is now; `says`: words for values; `empty`: that there is none, or that it is 0 / 0."""
    # Asked for now alone: the last of a range is what was, long after all that is asked about has died.
    builder = (
        base(stat.Panel(), title, means, unit, {title: f"({query}) > -Inf"}, steps, is_now=True)
        .no_value(empty)
        .graph_mode(words.BigValueGraphMode.NONE)
        .color_mode(words.BigValueColorMode.BACKGROUND if len(steps) > 1 else words.BigValueColorMode.VALUE)
        .text_mode(words.BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    if says:
        builder.mappings(mapped({value: (text, None) for value, text in says.items()}))
    if decimals is not None:
        builder.decimals(decimals)
    return Panel(builder, width=width, height=height, runbooks=runbooks)


def lines(
    title: str,
    means: str,
    unit: str,
    queries: Queries,
    *,
    steps: Steps = _PLAIN,
    width: int = 8,
    stacked: bool = False,
    most: float | None = None,
    logarithmic: bool = False,
    runbooks: Sequence[str] = (),
) -> Panel:
    """How values went; `steps` are dashed lines, `most` is where the axis ends."""
    builder = (
        base(timeseries.Panel(), title, means, unit, queries, steps)
        .legend(
            common.VizLegendOptions()
            .display_mode(words.LegendDisplayMode.TABLE)
            .placement(words.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
            .sort_by("Max")
            .sort_desc(True)
        )
        .tooltip(common.VizTooltipOptions().mode(words.TooltipDisplayMode.MULTI).sort(words.SortOrder.DESCENDING))
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
        .line_width(1)
        .fill_opacity(25 if stacked else 5)
        .show_points(words.VisibilityMode.NEVER)
        .axis_soft_min(0)
    )
    if len(steps) > 1:
        builder.thresholds_style(common.GraphThresholdsStyleConfig().mode(words.GraphThresholdsStyleMode.DASHED))
    if stacked:
        builder.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL))
    if most is not None:
        builder.max(most)
    if logarithmic:
        scale = common.ScaleDistributionConfig().type(words.ScaleDistribution.SYMLOG).log(10)
        builder.scale_distribution(scale.linear_threshold(1e-5 if unit == "s" else 1))
    return Panel(builder, width=width, height=8, runbooks=runbooks)


def heat(title: str, means: str, unit: str, query: str, *, width: int = 8, runbooks: Sequence[str] = ()) -> Panel:
    """A histogram's buckets over time."""
    builder = (
        base(heatmap.Panel(), title, means, unit, {"{{le}}": query}, _PLAIN, form=PromQueryFormat.HEATMAP)
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64))
        .y_axis(heatmap.YAxisConfig().unit(unit).axis_placement(words.AxisPlacement.LEFT))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .tooltip(heatmap.HeatmapTooltip().mode(words.TooltipDisplayMode.SINGLE).y_histogram(True))
    )
    return Panel(builder, width=width, height=8, runbooks=runbooks)


def states(
    title: str,
    means: str,
    queries: Queries,
    says: Mapping[str, tuple[str, str]],
    *,
    width: int = 12,
    runbooks: Sequence[str] = (),
) -> Panel:
    """What was the case when, of each series: `says` has a word and a colour for each value."""
    builder = (
        base(statetimeline.Panel(), title, means, "none", queries, _PLAIN)
        .mappings(mapped(says))
        .merge_values(True)
        .show_value(words.VisibilityMode.AUTO)
        .row_height(0.8)
        .legend(common.VizLegendOptions().show_legend(False).display_mode(words.LegendDisplayMode.LIST))
    )
    return Panel(builder, width=width, height=8, runbooks=runbooks)


def rows(
    title: str,
    means: str,
    query: str,
    columns: Mapping[str, str],
    *,
    unit: str = "none",
    width: int = 12,
    steps: Steps = _PLAIN,
    says: Mapping[str, str] | None = None,
    empty: str = "none",
    runbooks: Sequence[str] = (),
) -> Panel:
    """A table of the series there are now: `columns` are all their labels (and Value), with titles, in this order."""
    kept = {
        "indexByName": {label: place for place, label in enumerate(columns)},
        "renameByName": dict(columns),
        "excludeByName": {"Time": True, "Value": "Value" not in columns},
    }
    builder = (
        base(table.Panel(), title, means, unit, {"": query}, steps, form=PromQueryFormat.TABLE)
        .no_value(empty)
        .with_transformation(models.DataTransformerConfig(id_val="organize", options=kept))
    )
    if says:
        builder.mappings(mapped({value: (text, None) for value, text in says.items()}))
    return Panel(builder, width=width, height=8, runbooks=runbooks)
