"""Prints every metric of the process that a module is, as JSON: `python -m tests.support.registry services.auth.app`.

In a process of its own, because a registry holds what was imported, and services never meet in one process.
"""

import importlib
import json
import sys

from prometheus_client import REGISTRY, Metric

_SAMPLES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def names(family: Metric) -> list[str]:
    """How its samples are called, whether it has any yet or not."""
    made = [family.name + suffix for suffix in _SAMPLES.get(family.type, ("",))]
    return made + [each.name for each in family.samples if not each.name.endswith("_created")]


def registered() -> dict[str, list[str]]:
    """The names of all samples, with the labels that each may have."""
    found: dict[str, set[str]] = {}
    for collector in REGISTRY._collector_to_names:
        declared = getattr(collector, "_labelnames", None) or getattr(collector, "_labels", None) or ()
        for family in collector.collect():
            for name in names(family):
                labels = found.setdefault(name, set(declared))
                labels.update(label for each in family.samples if each.name == name for label in each.labels)
                if name.endswith("_bucket"):
                    labels.add("le")
    return {name: sorted(labels) for name, labels in found.items()}


if __name__ == "__main__":
    importlib.import_module(sys.argv[1])
    print(json.dumps(registered()))
