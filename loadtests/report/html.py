"""The report as one page that opens anywhere: no script, and nothing is fetched."""

from pathlib import Path
from typing import Final

import jinja2

from loadtests.report import words
from loadtests.report.charts import charts
from loadtests.report.parts import rows
from loadtests.report.results import Results

_TEMPLATE: Final = Path(__file__).with_name("page.html")


def page(results: Results) -> str:
    """HTML; equal results give equal pages. Names are escaped, whatever is in them."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"clock": words.clock, "milliseconds": words.milliseconds}
    phases = rows(results.parts)
    return environment.from_string(_TEMPLATE.read_text()).render(
        results=results,
        title=words.TITLES[results.ending],
        sentence=words.sentence(results),
        highest=words.highest(results),
        counted=words.counted(results),
        others=words.OTHERS,
        account=words.account(results.counts),
        objectives=[words.objective(each) for each in results.objectives],
        steps=[each for each in phases if each.measured] if results.highest else [],
        phases=phases,
        charts=charts(results),
        environment=words.environment(results),
        settings=words.settings(results.settings),
        greeted=[(name, f"{count:,}") for name, count in results.greeted.items()],
    )
