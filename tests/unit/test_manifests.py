"""deploy/k8s against Kubernetes' schemas, and against itself.

Needs no cluster and no kustomize. Where `kubectl` is there, what it renders is checked as well.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from runtime import credentials
from tests.support.manifests import (
    BASE,
    CONFIG,
    K8S,
    KEY_MODE,
    MANIFESTS,
    MAPS_BY_HAND,
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
    projected = [source for each in volumes for source in each.get("projected", {}).get("sources", [])]
    sources = [*only.get("envFrom", []), *volumes, *projected]
    maps = [each.get("configMapRef") or each.get("configMap") for each in sources]
    assert {each["name"] for each in maps if each} <= CONFIG.keys() | MAPS_BY_HAND
    secrets = [each.get("secretRef") or each.get("secret") for each in sources]
    needed = {each.get("name") or each["secretName"] for each in secrets if each and not each.get("optional")}
    assert needed <= SECRETS_BY_HAND
    claims = [each["metadata"] for each in PODS[workload]["spec"].get("volumeClaimTemplates", [])]
    assert {each["name"] for each in only["volumeMounts"]} == {each["name"] for each in [*volumes, *claims]}


def test_signing_keys_are_readable_for_auth_alone() -> None:
    """The keys are where the settings say, and their mode lets nobody in but root and the service's group."""
    (volume,) = (each for each in pod("auth")["volumes"] if each["name"] == "signing-keys")
    (mount,) = (each for each in container("auth")["volumeMounts"] if each["name"] == "signing-keys")
    assert environment("auth")["SIGNING_KEYS_DIR"] == mount["mountPath"]
    assert "subPath" not in mount, "Kubernetes would not bring a new key"
    assert "items" not in volume["secret"]
    assert volume["secret"]["defaultMode"] == KEY_MODE
    assert pod("auth")["securityContext"]["fsGroup"] == pod("auth")["securityContext"]["runAsGroup"]
    assert not named("Secret")


@pytest.mark.parametrize(("workload", "user"), [*((each, each) for each in SERVICES), ("setup", "admin")])
def test_each_process_has_its_own_credentials_and_no_others(workload: str, user: str) -> None:
    """The seed is where the settings say, of the right user, and readable for the process alone."""
    secrets = [each["secret"] for each in pod(workload)["volumes"] if "secret" in each]
    (mounted,) = (each for each in secrets if each["secretName"].startswith("credentials-"))
    assert mounted == {"secretName": f"credentials-{user}", "defaultMode": KEY_MODE}
    (mount,) = (each for each in container(workload)["volumeMounts"] if each["name"] == "credentials")
    assert environment(workload)["NATS_NKEY_FILE"] == f"{mount['mountPath']}/{credentials.SEED}"
    assert pod(workload)["securityContext"]["fsGroup"] == pod(workload)["securityContext"]["runAsGroup"]


def test_nats_knows_its_users() -> None:
    """What nats.conf includes is mounted where it looks: the permissions, and beside them the public keys."""
    (volume,) = (each for each in pod("nats")["volumes"] if each["name"] == "config")
    ours, keys = (each["configMap"] for each in volume["projected"]["sources"])
    included = re.findall(r"^include (\S+)$", "".join(CONFIG[ours["name"]].values()), re.MULTILINE)
    assert sorted(included) == sorted(["nats-permissions.conf", keys["items"][0]["path"]])
    assert keys["items"][0]["path"] == credentials.PUBLIC_KEYS
    users = set(re.findall(r"nkey: \$NATS_(\w+)_NKEY", CONFIG[ours["name"]]["nats-permissions.conf"]))
    assert users == {each.upper() for each in credentials.NATS_USERS}


@pytest.mark.parametrize("config", [BASE / "nats.conf", K8S.parent / "compose" / "nats.conf"], ids=["k8s", "compose"])
def test_nats_server_takes_its_configuration(tmp_path: Path, config: Path) -> None:
    """As it is mounted, with keys as they are made; and a key that is missing is an error, not an open door."""
    credentials.make(tmp_path)
    for file in (config, BASE / "nats-permissions.conf"):
        shutil.copyfile(file, tmp_path / file.name)
    command: list[str | Path] = [Path(sys.executable).parent / "nats-server", "-t", "-c", tmp_path / "nats.conf"]
    environ = {"SERVER_NAME": "nats-0"}
    done = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / credentials.PUBLIC_KEYS).write_text("")
    assert subprocess.run(command, env=environ, check=False, capture_output=True).returncode != 0


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
    used = set(re.findall(r"configMap(?:Ref)?:\n(?:\s+items:\n(?:\s+-? \w+: .*\n)+)?\s+name: (\S+)", kubectl.stdout))
    assert used == maps | MAPS_BY_HAND
    assert not re.search(r"image: parley/\w+$", kubectl.stdout, re.MULTILINE)
