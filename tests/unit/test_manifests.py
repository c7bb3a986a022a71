"""deploy/k8s against Kubernetes' schemas, and against itself.

Needs no cluster and no kustomize. Where `kubectl` is there, what it renders is checked as well.
"""

import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.manifests import (
    BASE,
    CONFIG,
    K8S,
    KEY_MODE,
    MANIFESTS,
    PODS,
    SCHEMA,
    SECRETS_BY_HAND,
    SERVICES,
    WORKLOADS,
    Manifest,
    container,
    environment,
    kustomization,
    named,
    pod,
    ports,
    selected,
)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_manifest_follows_the_schema(manifest: Manifest) -> None:
    """Every manifest is valid, with no field that the API server would drop unseen."""
    kubernetes_validate.validate(manifest, SCHEMA, strict=True)


def test_every_file_is_part_of_the_base() -> None:
    """A file beside kustomization.yaml that it does not name would never be applied."""
    config = kustomization(BASE)
    used = {
        *config["resources"],
        *(file for each in config["configMapGenerator"] for file in each.get("files", [])),
    }
    assert used == {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}


def test_names_are_unique() -> None:
    """Two manifests of one kind and name would overwrite each other."""
    names = [(each["kind"], each["metadata"]["name"]) for each in MANIFESTS]
    assert len(names) == len(set(names))


def test_all_goes_to_one_namespace() -> None:
    """Everything goes into the namespace that the base makes; no manifest says otherwise."""
    assert set(named("Namespace")) == {kustomization(BASE)["namespace"]}
    assert not [each for each in MANIFESTS if "namespace" in each["metadata"]]


@pytest.mark.parametrize("workload", PODS)
def test_pod_meets_the_restricted_standard(workload: str) -> None:
    """No root, no privileges, no token of the API, nothing writable but volumes."""
    spec, only = pod(workload), container(workload)["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == (10001 if workload != "mongodb" else 999)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["allowPrivilegeEscalation"] is False
    assert only["readOnlyRootFilesystem"] is True
    assert only["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("workload", PODS)
def test_pod_asks_for_what_it_needs(workload: str) -> None:
    """The scheduler knows CPU and memory, and a leak ends one container, not the node."""
    resources = container(workload)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert "memory" in resources["limits"]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_probes_use_ports_that_exist(workload: str) -> None:
    """Startup, liveness and readiness are all checked, and a named port is one of the container's."""
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        check = container(workload)[probe]
        target = check.get("httpGet") or check.get("tcpSocket")
        assert target["port"] in ports(workload) if target else check["exec"]["command"]


@pytest.mark.parametrize("workload", PODS)
def test_image_is_versioned(workload: str) -> None:
    """No image is `latest`, in words or by leaving the tag out; ours get their tag from kustomize."""
    tags = {each["name"]: str(each["newTag"]) for each in kustomization(BASE)["images"]}
    image, service = container(workload)["image"], "history" if workload == "setup" else workload
    assert (image == f"parley/{service}") == (service in SERVICES)
    tag = tags[image] if service in SERVICES else image.rpartition(":")[2]
    assert re.fullmatch(r"[0-9][0-9a-z.-]*", tag)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_selector_matches_the_pods(workload: str) -> None:
    """A workload owns its own pods and no other's."""
    assert selected(WORKLOADS[workload]["spec"]["selector"]) == [workload]
    for each in pod(workload).get("topologySpreadConstraints", []):
        assert selected(each["labelSelector"]) == [workload]


@pytest.mark.parametrize("name", named("Service"))
def test_service_leads_to_ports_of_a_workload(name: str) -> None:
    """Each Service selects one workload, and each of its target ports is a port of it."""
    spec = named("Service")[name]["spec"]
    (workload,) = selected(spec["selector"])
    assert {each["targetPort"] for each in spec["ports"]} <= ports(workload).keys()


def test_public_service_shows_no_admin_port() -> None:
    """Metrics and probes are not what an Ingress or load balancer gets to see."""
    assert [each["targetPort"] for each in named("Service")["gateway"]["spec"]["ports"]] == ["http"]


@pytest.mark.parametrize("name", named("NetworkPolicy"))
def test_network_policy_names_pods_and_ports(name: str) -> None:
    """A policy with a selector or port that matches nothing would open nothing, silently."""
    spec = named("NetworkPolicy")[name]["spec"]
    workloads = selected(spec["podSelector"])
    assert workloads
    for rule in spec.get("ingress", []):
        for port in rule["ports"]:
            assert all(port["port"] in ports(workload) for workload in workloads)
        for peer in rule.get("from", []):
            assert "namespaceSelector" in peer or selected(peer["podSelector"])


def test_ingress_is_denied_unless_allowed() -> None:
    """The default policy holds for every pod and allows nothing."""
    spec = named("NetworkPolicy")["default-deny-ingress"]["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress"]}


@pytest.mark.parametrize("workload", [*SERVICES, "nats"])
def test_replicas_survive_a_drained_node(workload: str) -> None:
    """More than one replica, spread over nodes, and one at a time given up."""
    assert WORKLOADS[workload]["spec"]["replicas"] > 1
    budget = named("PodDisruptionBudget")[workload]["spec"]
    assert budget["maxUnavailable"] == 1
    assert selected(budget["selector"]) == [workload]
    assert pod(workload)["topologySpreadConstraints"]


@pytest.mark.parametrize("workload", PODS)
def test_references_exist(workload: str) -> None:
    """ConfigMaps and Secrets are made by the base or by hand, and each mount has its volume."""
    only, volumes = container(workload), pod(workload).get("volumes", [])
    sources = [*only.get("envFrom", []), *volumes]
    maps = [each.get("configMapRef") or each.get("configMap") for each in sources]
    assert {each["name"] for each in maps if each} <= CONFIG.keys()
    secrets = [each.get("secretRef") or each.get("secret") for each in sources]
    needed = {each.get("name") or each["secretName"] for each in secrets if each and not each.get("optional")}
    assert needed <= SECRETS_BY_HAND
    claims = [each["metadata"] for each in PODS[workload]["spec"].get("volumeClaimTemplates", [])]
    assert {each["name"] for each in only["volumeMounts"]} == {each["name"] for each in [*volumes, *claims]}


def test_signing_key_is_readable_for_auth_alone() -> None:
    """The key is where the settings say, and its mode lets nobody in but root and the service's group."""
    (volume,) = (each for each in pod("auth")["volumes"] if each["name"] == "signing-key")
    (mount,) = (each for each in container("auth")["volumeMounts"] if each["name"] == "signing-key")
    (item,) = volume["secret"]["items"]
    assert environment("auth")["SIGNING_KEY_FILE"] == f"{mount['mountPath']}/{item['path']}"
    assert volume["secret"]["defaultMode"] == KEY_MODE
    assert pod("auth")["securityContext"]["fsGroup"] == pod("auth")["securityContext"]["runAsGroup"]
    assert not named("Secret")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("components", [[], ["ingress"]], ids=["base", "with-ingress"])
def test_kustomize_renders_it(tmp_path: Path, components: list[str]) -> None:
    """The real kustomize makes valid manifests of base and component, in our namespace, references hashed."""
    shutil.copytree(K8S, tmp_path / "k8s")
    overlay = tmp_path / "k8s" / "overlays" / "test"
    overlay.mkdir(parents=True)
    config = {
        "namespace": "parley",
        "resources": ["../../base"],
        "components": [f"../../components/{each}" for each in components],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(config))
    kubectl = subprocess.run(
        ["kubectl", "kustomize", str(overlay)],
        check=True,
        capture_output=True,
        text=True,
    )
    rendered = list(yaml.safe_load_all(kubectl.stdout))
    assert len(rendered) == len(MANIFESTS) + len(components)
    for manifest in rendered:
        kubernetes_validate.validate(manifest, SCHEMA, strict=True)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "parley"
    maps = {each["metadata"]["name"] for each in rendered if each["kind"] == "ConfigMap"}
    used = set(re.findall(r"configMap(?:Ref)?:\n\s+name: (\S+)", kubectl.stdout))
    assert used == maps
    assert not re.search(r"image: parley/\w+$", kubectl.stdout, re.MULTILINE)
