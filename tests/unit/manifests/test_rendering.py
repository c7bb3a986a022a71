"""What kustomize makes of deploy/k8s: what is in each overlay, that it is valid, and that nothing is left over."""

import copy
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest

from tests.support import custom_resources
from tests.support.manifests import (
    BASE,
    K8S,
    MAPS_BY_HAND,
    ROOT,
    RUNS,
    SCHEMAS,
    SECRETS_BY_HAND,
    SERVICES,
    Manifest,
    composed,
    overlay,
    rendered,
    run,
)
from tests.unit.manifests.inventory import ALL, DASHBOARDS, IN_BASE, IN_OVERLAYS, POLICIES


def _name(manifest: Manifest) -> str:
    name: str = manifest["metadata"]["name"]
    return re.sub(r"-[a-z0-9]{10}$", "", name) if name.rpartition("-")[0] in IN_BASE["ConfigMap"] else name


@pytest.mark.parametrize("name", ALL)
def test_overlay_has_what_it_should_have(name: str) -> None:
    """Kinds and names, no more and no fewer; each once; all in one namespace, which the base makes."""
    found = [(each["kind"], _name(each)) for each in overlay(name).objects]
    assert len(found) == len(set(found))
    assert set(found) == {(kind, each) for kind, names in IN_OVERLAYS[name].items() for each in names}
    assert DASHBOARDS
    for each in overlay(name).objects:
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "parley", each["metadata"]


def test_kubernetes_would_take_it() -> None:
    """Every object of Kubernetes' own is valid, with no field that the API server would drop unseen."""
    every = [each for name in ALL for each in overlay(name).objects if not custom_resources.is_custom(each)]
    # Without a name of its own a Job is made by `kubectl create` alone.
    every += [each for name in RUNS for each in run(name).objects]
    for version, each in itertools.product(SCHEMAS, {json.dumps(each): each for each in every}.values()):
        kubernetes_validate.validate(each, version, strict=True)
    bad: Manifest = copy.deepcopy(next(each for each in every if each["kind"] == "Deployment"))
    bad["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError, match="imagePolicy"):
        kubernetes_validate.validate(bad, SCHEMAS[0], strict=True)


COMPONENTS = ["ingress", "keda", "external-mongodb"]


@pytest.fixture(scope="module")
def optional(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What the components make that no overlay has."""
    return composed(tmp_path_factory.mktemp("optional"), "network-policies", *COMPONENTS).objects


def test_optional_components_are_valid_and_replace_what_they_say(optional: list[Manifest]) -> None:
    """Instead of the base's autoscalers and database; the rest is as it was."""
    found = {(each["kind"], _name(each)) for each in optional}
    base = {(kind, each) for kind, names in IN_BASE.items() for each in names}
    gone = {("HorizontalPodAutoscaler", each) for each in ("gateway", "history")} | {
        *((kind, "mongodb") for kind in ("StatefulSet", "Service", "PodDisruptionBudget", "ServiceAccount")),
        ("ConfigMap", "mongodb-scripts"),
    }
    added = {("ScaledObject", "gateway"), ("ScaledObject", "history"), ("Ingress", "gateway")}
    policies = {("NetworkPolicy", each) for each in POLICIES | {"stores-to-external-mongodb"}}
    assert found == (base - gone) | added | policies
    for each in optional:
        if not custom_resources.is_custom(each):
            kubernetes_validate.validate(each, SCHEMAS[0], strict=True)


def test_custom_resources_are_valid(optional: list[Manifest]) -> None:
    """By the schemas of the projects that they are of; and one that is not is found out."""
    every = [*(each for name in ALL for each in overlay(name).objects), *optional]
    custom = [each for each in every if custom_resources.is_custom(each)]
    assert {each["kind"] for each in custom} == {
        *("Gateway", "HTTPRoute", "Certificate", "Issuer", "PodMonitor", "PrometheusRule", "ScaledObject")
    }
    bad: Manifest = copy.deepcopy(next(each for each in custom if each["kind"] == "HTTPRoute"))
    bad["spec"]["rules"][0]["timeouts"] = {"request": "soon", "idle": "1h"}
    *found, of_the_bad_one = custom_resources.findings([*custom, bad])
    assert [(each["kind"], said) for each, said in zip(custom, found, strict=True) if said] == []
    assert any(each.startswith("/spec/rules/0/timeouts/request: pattern") for each in of_the_bad_one)
    assert "/spec/rules/0/timeouts/idle: unknown" in of_the_bad_one


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in K8S.rglob("kustomization.yaml")), ids=lambda p: p.name
)
def test_every_file_is_used(folder: Path) -> None:
    """A file beside kustomization.yaml that it does not name would never be applied. Some are for something else."""
    text = (folder / "kustomization.yaml").read_text()
    for path in folder.iterdir():
        others = {"kustomization.yaml", "prometheus-adapter.values.yaml", *(f"{run}.yaml" for run in RUNS)}
        if path.name not in others:
            assert re.search(rf"[ /]{re.escape(path.name)}$", text, re.MULTILINE), path


@pytest.mark.parametrize("name", ALL)
def test_references_exist(name: str) -> None:
    """ConfigMaps and Secrets are made here, by cert-manager or by hand; each mount has its volume."""
    manifests = overlay(name)
    made_maps = set(manifests.named("ConfigMap")) | MAPS_BY_HAND
    made_secrets = SECRETS_BY_HAND | {each["spec"]["secretName"] for each in manifests.named("Certificate").values()}
    for workload in manifests.pods:
        volumes = manifests.pod(workload).get("volumes", [])
        projected = [source for each in volumes for source in each.get("projected", {}).get("sources", [])]
        sources = [*(one for each in manifests.containers(workload) for one in each.get("envFrom", []))]
        sources += [*volumes, *projected]
        maps = [each.get("configMapRef") or each.get("configMap") for each in sources]
        assert {each["name"] for each in maps if each} <= made_maps
        secrets = [each.get("secretRef") or each.get("secret") for each in sources]
        needed = {each.get("name") or each["secretName"] for each in secrets if each and not each.get("optional")}
        assert needed <= made_secrets
        claims = [each["metadata"] for each in manifests.pods[workload]["spec"].get("volumeClaimTemplates", [])]
        mounted = {one["name"] for each in manifests.containers(workload) for one in each.get("volumeMounts", [])}
        assert mounted == {each["name"] for each in [*volumes, *claims]}


def test_no_secret_is_written_down() -> None:
    """Neither as an object nor as a value: whatever signs, proves or opens is in a Secret that is made by hand."""
    for name in ALL:
        assert not overlay(name).named("Secret")
        for values in overlay(name).config.values():
            assert not [key for key in values if re.search(r"PASSWORD$|SEED$|TOKEN$|SECRET$", key)]
            assert not [value for value in values.values() if re.search(r"://[^/@\s]+:[^/@\s]+@", value)]
        for workload in overlay(name).pods:
            for each in overlay(name).containers(workload):
                assert not [one for one in each.get("env", []) if "secretKeyRef" in one.get("valueFrom", {})]


def test_what_only_an_operator_knows_is_marked() -> None:
    """Whatever names an example is told apart from what works as it is."""
    for path in set(K8S.rglob("*.yaml")) - {K8S / "components" / "monitoring" / "prometheus-rule.yaml"}:
        for number, line in enumerate(lines := path.read_text().splitlines()):
            if re.search(r"example|192\.0\.2", line) and not line.lstrip().startswith("#"):
                assert "REPLACE" in "\n".join(lines[max(0, number - 3) : number + 1]), f"{path}:{number + 1}"


def test_images_are_pinned() -> None:
    """By an exact version, of ours and of others; and the others are those of docker-compose.yml."""
    images = {each["image"] for name in ALL for w in overlay(name).pods for each in overlay(name).containers(w)}
    images |= {each["image"] for name in RUNS for each in run(name).containers("loadtest")}
    assert all(re.search(r":\d+\.\d+\.\d+[a-z0-9.-]*$", each) for each in images), images
    ours = {each for each in images if re.search(r"(^|/)parley/", each)}
    assert {each.rpartition("/")[2].partition(":")[0] for each in ours} == {*SERVICES, "loadtest"}
    compose = (K8S.parents[1] / "docker-compose.yml").read_text()
    for each in images - ours:
        name = each.partition(":")[0]
        assert set(re.findall(rf"image: ({re.escape(name)}:\S+)", compose)) <= {each}, each


def test_all_yaml_is_linted() -> None:
    """Of all that is deployed, by .yamllint."""
    command: list[str | Path] = [Path(sys.executable).with_name("yamllint"), "--strict", "deploy"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout


def test_base_is_complete_by_itself() -> None:
    """Settings of every process are there before any overlay; overlays and components only change some."""
    assert rendered(BASE).config.keys() == IN_BASE["ConfigMap"]
    for name in ALL:
        for config, values in rendered(BASE).config.items():
            assert values.keys() <= overlay(name).config[config].keys()
