"""The rules of Prometheus as a resource of the Prometheus Operator, for deploy/k8s.

The rule files stay as Prometheus reads them, for it and promtool know nothing else.
"""

from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
RULES: Final = HERE / "rules"
PATH: Final = HERE.parent / "k8s" / "components" / "monitoring" / "prometheus-rule.yaml"
_HEAD: Final = """# Written by `python -m deploy.observability` from deploy/observability/rules: change it there.
# yamllint disable rule:line-length
"""


class _Dumper(yaml.SafeDumper):
    """As people write YAML: lists are indented, and what has several lines is a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def groups() -> list[dict[str, Any]]:
    """All groups of all rule files: what is recorded first, and the files by their names."""
    files = sorted(RULES.glob("*.yml"), key=lambda path: (path.stem != "recording", path.stem))
    return [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]


def text() -> str:
    """The resource, as YAML: monitoring.coreos.com/v1, PrometheusRule `parley`, in no namespace."""
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "parley", "labels": {"app.kubernetes.io/name": "parley"}},
        "spec": {"groups": groups()},
    }
    return _HEAD + yaml.dump(resource, Dumper=_Dumper, sort_keys=False, width=116, allow_unicode=True)


def write() -> None:
    """Write it to `PATH`."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text())
