"""A dashboard as a page, and pages as pictures."""

import html
import shutil
from collections.abc import Mapping
from typing import Any, Final

from playwright.async_api import async_playwright

from tests.support.grafana import Query, boards
from tests.support.pictures import charts
from tests.support.prometheus import Prometheus, Series

_COLUMN, _ROW = 75, 36
_STYLE: Final = """
  body { background: #111217; color: #ccccdc; font: 12px sans-serif; margin: 0; position: relative }
  .panel { position: absolute; background: #181b1f; border: 1px solid #2c2f36; box-sizing: border-box;
           padding: 4px 8px; overflow: hidden }
  .row { position: absolute; font: bold 15px sans-serif; padding: 8px }
  h2 { font-size: 13px; margin: 2px 0 4px }
  text { fill: #9a9aa8; font-size: 11px }
  table { font-size: 11px; border-spacing: 0; width: 100%; text-align: left; line-height: 13px }
  td, th { padding: 0 10px 0 0; white-space: nowrap }
  .number { font: bold 26px sans-serif; text-align: center; padding: 26px 0 }
"""


async def take(prometheus: Prometheus, folder: str) -> None:
    """A picture of each dashboard, as PNG in `folder`, of all that Prometheus has seen."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, board in boards().items():
            height = _ROW * max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in board["panels"])
            page = await browser.new_page(viewport={"width": 24 * _COLUMN, "height": height})
            inside = "".join([await _panel(prometheus, name, each) for each in board["panels"]])
            await page.set_content(f"<meta charset=utf-8><style>{_STYLE}</style>{inside}")
            await page.screenshot(path=f"{folder}/{name}.png")
        await browser.close()


async def _panel(prometheus: Prometheus, name: str, panel: Mapping[str, Any]) -> str:
    place, title = panel["gridPos"], html.escape(panel["title"])
    width, height = place["w"] * _COLUMN, place["h"] * _ROW
    style = f"left:{place['x'] * _COLUMN}px;top:{place['y'] * _ROW}px;width:{width}px;height:{height}px"
    if panel["type"] == "row":
        return f"<div class=row style='{style}'>{title}</div>"
    found: list[tuple[str, Series]] = []
    for each in panel["targets"]:
        query = Query(name, title, each["refId"], each["expr"], each["legendFormat"], bool(each.get("instant")))
        found.append((query.legend, await prometheus.series(query)))
    return f"<div class=panel style='{style}'><h2>{title}</h2>{_inside(panel, found, width - 18, height)}</div>"


def _inside(panel: Mapping[str, Any], found: list[tuple[str, Series]], width: int, height: int) -> str:
    if panel["type"] == "table":
        return charts.rows(panel, found[0][1])
    series = charts.named(found)
    if panel["type"] == "stat":
        return charts.number(panel, series)
    draw = {"timeseries": charts.lines, "heatmap": charts.heat, "state-timeline": charts.states}[panel["type"]]
    return draw(panel, series, width, height)
