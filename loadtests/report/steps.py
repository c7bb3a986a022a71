"""A run step by step: which step was the highest that held, and what ended it. No I/O."""

from collections.abc import Sequence
from typing import Final

from loadtests import kinds
from loadtests.facts import Facts
from loadtests.report.results import Highest, Part

GENERATOR: Final = "the generator was the limit"


def counting(parts: Sequence[Part]) -> list[Part]:
    """The steps that the objectives are held to: all that held; when none did, the first."""
    steps = [each for each in parts if each.measured]
    return [each for each in steps if not each.broken] or steps[:1]


def highest(facts: Facts, parts: Sequence[Part], began: float) -> Highest:
    """The last step that broke nothing, and why there is no higher one."""
    steps = [each for each in parts if each.measured]
    held = [number for number, each in enumerate(steps) if not each.broken]
    if not held:
        ended = f"not even the first step held: {_why(facts, steps[0], began)}" if steps else "there was no step"
        return Highest(None, 0.0, 0.0, 0.0, ended)
    step = steps[held[-1]]
    messages = sum(each.per_second for each in step.figures if each.kind == kinds.MESSAGE)
    above = steps[held[-1] + 1 :]
    ended = _why(facts, above[0], began) if above else "the last step held, too: the system may do more"
    return Highest(step.name, messages, step.deliveries_per_second, step.connected, ended)


def _why(facts: Facts, step: Part, began: float) -> str:
    limits = [each for each in step.broken if each.startswith(GENERATOR)]
    if not limits:
        return f"{step.name} did not keep {'; '.join(step.broken)}"
    inside = (began + step.begin, began + step.end)
    means = [
        sum(used) / len(used)
        for each in facts.generators
        if (used := [u.cpu_percent for u in each.usage if inside[0] <= u.at < inside[1]])
    ]
    busy = f" at {max(means):.0f} % of a core" if means else ""
    limit = limits[0].removeprefix(f"{GENERATOR}: ")
    return f"the generator ended it{busy} in {step.name} ({limit}): the system may do more"
