"""What docs/OPERATIONS.md says of these manifests, and does to them."""

import re
import subprocess

import pytest
import yaml

from tests.support.manifests import K8S, KUBECTL, OVERLAYS, overlay

OPERATIONS = (K8S.parents[1] / "docs" / "OPERATIONS.md").read_text()


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_job_runs_another_command_as_the_page_says(name: str) -> None:
    """Each `sed` in it changes the rendered Job, and nothing else."""
    expressions = re.findall(r"sed '(.+?)'", " ".join(OPERATIONS.split("\n   ")))
    found = []
    for expression in expressions:
        rendered = subprocess.run(
            [KUBECTL, "kustomize", K8S / "overlays" / name], check=True, capture_output=True, text=True
        ).stdout
        done = subprocess.run(["sed", expression], input=rendered, check=True, capture_output=True, text=True).stdout
        before, after = (list(yaml.safe_load_all(text)) for text in (rendered, done))
        ((_, job),) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert (job["kind"], job["metadata"]["labels"]["app.kubernetes.io/name"]) == ("Job", "setup")
        found.append(job["spec"]["template"]["spec"]["containers"][0]["args"])
    assert found == [["persisted"], ["setup", "--persist-again"]]


def test_sizes_are_reckoned_with_what_the_autoscaler_aims_at() -> None:
    """Connections of a gateway; and how far production goes."""
    scaler = overlay("production").named("HorizontalPodAutoscaler")["gateway"]["spec"]
    (aim,) = [each["pods"]["target"]["averageValue"] for each in scaler["metrics"] if each["type"] == "Pods"]
    assert f"at {int(aim):,} connections each" in OPERATIONS
    assert f"{scaler['maxReplicas']} gateways (`maxReplicas`)" in OPERATIONS
