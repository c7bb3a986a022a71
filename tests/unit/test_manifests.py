"""deploy/k8s against Kubernetes' schemas and against what the services, NATS and MongoDB really listen on.

Needs no cluster and no kustomize: `load` reads the few kustomization fields in use. Where `kubectl` is there,
what it renders is checked as well. The settings that docker-compose.yml gives are checked here too.
"""

import importlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import msgspec
import pytest
import yaml

from runtime.settings import ServiceSettings
from runtime.settings import load as load_settings

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
BASE = K8S / "base"
SCHEMA = "1.34"
KEY_MODE = 0o440
SERVICES = ("gateway", "auth", "history")
# Made by the operator, not by the base: deploy/k8s/README.md.
SECRETS_BY_HAND = {"signing-key"}


def kustomization(directory: Path) -> Manifest:
    """Return the parsed kustomization.yaml."""
    parsed: Manifest = yaml.safe_load((directory / "kustomization.yaml").read_text())
    return parsed


def generated(directory: Path) -> Iterator[Manifest]:
    """Yield what configMapGenerator makes, without the hash in the name."""
    for each in kustomization(directory).get("configMapGenerator", []):
        data = dict(literal.split("=", 1) for literal in each.get("literals", []))
        data |= {Path(name).name: (directory / name).read_text() for name in each.get("files", [])}
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": each["name"]}, "data": data}


def load(directory: Path) -> list[Manifest]:
    """Return all manifests of a kustomization."""
    files = [yaml.safe_load_all((directory / name).read_text()) for name in kustomization(directory)["resources"]]
    return [*(document for file in files for document in file), *generated(directory)]


MANIFESTS = load(BASE)


def named(kind: str) -> dict[str, Manifest]:
    """Return the base's manifests of one kind, by name."""
    return {each["metadata"]["name"]: each for each in MANIFESTS if each["kind"] == kind}


WORKLOADS = {**named("Deployment"), **named("StatefulSet")}
CONFIG = {name: each["data"] for name, each in named("ConfigMap").items()}


def pod(workload: str) -> Manifest:
    """Return the pod spec of a workload."""
    spec: Manifest = WORKLOADS[workload]["spec"]["template"]["spec"]
    return spec


def container(workload: str) -> Manifest:
    """Return the only container of a workload."""
    (only,) = pod(workload)["containers"]
    assert isinstance(only, dict)
    return only


def ports(workload: str) -> dict[str, int]:
    """Return container ports by name."""
    return {each["name"]: each["containerPort"] for each in container(workload)["ports"]}


def selected(selector: Manifest) -> list[str]:
    """Return the workloads whose pods a label selector (or a Service's plain map of labels) selects."""
    plain = {} if selector.keys() & {"matchLabels", "matchExpressions"} else selector
    wanted = {**plain, **selector.get("matchLabels", {})}
    choices = selector.get("matchExpressions", [])
    found = []
    for name, workload in WORKLOADS.items():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert all(each["operator"] == "In" for each in choices)
        if wanted.items() <= labels.items() and all(labels.get(each["key"]) in each["values"] for each in choices):
            found.append(name)
    return found


def environment(workload: str) -> dict[str, str]:
    """Return the environment of a workload's container, as its ConfigMaps make it."""
    sources = [each["configMapRef"]["name"] for each in container(workload)["envFrom"] if "configMapRef" in each]
    return {key: value for source in sources for key, value in CONFIG[source].items()}


def settings_type(service: str) -> type[ServiceSettings]:
    """Return the settings that a service is built with."""
    module = importlib.import_module(f"services.{service}.settings")
    (kind,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each is not ServiceSettings
    )
    return kind


def variables(settings: msgspec.Struct) -> Iterator[str]:
    """Yield the environment variables that fill a settings Struct."""
    for each in msgspec.structs.fields(settings):
        value = getattr(settings, each.name)
        if isinstance(value, msgspec.Struct):
            yield from variables(value)
        else:
            yield each.name.upper()


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


@pytest.mark.parametrize("workload", WORKLOADS)
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


@pytest.mark.parametrize("workload", WORKLOADS)
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


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_probed_on_its_admin_port(service: str) -> None:
    """Liveness never depends on NATS or MongoDB; readiness does."""
    only = container(service)
    assert only["startupProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}
    assert only["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}
    assert only["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "admin"}


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_those_the_service_listens_on(service: str) -> None:
    """Container ports, the scrape annotation and the settings agree."""
    config = environment(service)
    listening = {"admin": int(config["ADMIN_PORT"])} | ({"http": int(config["PORT"])} if "PORT" in config else {})
    assert ports(service) == listening
    annotations = WORKLOADS[service]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/port"] == config["ADMIN_PORT"]
    assert annotations["prometheus.io/path"] == "/metrics"


@pytest.mark.parametrize("service", SERVICES)
def test_service_starts_from_its_config_maps(service: str) -> None:
    """The settings load from these variables alone, and none of the variables is misspelt or left over."""
    settings = load_settings(settings_type(service), environment(service))
    assert environment(service).keys() <= set(variables(settings))


@pytest.mark.parametrize(
    ("container_name", "service"),
    [("gateway-1", "gateway"), ("gateway-2", "gateway"), ("auth", "auth"), ("history", "history")],
)
def test_service_starts_from_docker_compose(container_name: str, service: str) -> None:
    """The settings load from what docker-compose.yml gives and the image presets, with nothing misspelt."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][container_name]
    # ${NAME:-default} as it is without NAME.
    given = {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in compose["environment"].items()}
    presets = re.search(rf" AS {service}\nENV (.+)", (ROOT / "Dockerfile").read_text())
    assert presets
    given |= dict(preset.split("=") for preset in presets[1].split())
    assert given.keys() <= set(variables(load_settings(settings_type(service), given)))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_image_is_versioned(workload: str) -> None:
    """No image is `latest`, in words or by leaving the tag out; ours get their tag from kustomize."""
    tags = {each["name"]: str(each["newTag"]) for each in kustomization(BASE)["images"]}
    image = container(workload)["image"]
    assert (image == f"parley/{workload}") == (workload in SERVICES)
    tag = tags[image] if workload in SERVICES else image.rpartition(":")[2]
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


@pytest.mark.parametrize("workload", WORKLOADS)
def test_references_exist(workload: str) -> None:
    """ConfigMaps and Secrets are made by the base or by hand, and each mount has its volume."""
    only, volumes = container(workload), pod(workload).get("volumes", [])
    sources = [*only.get("envFrom", []), *volumes]
    maps = [each.get("configMapRef") or each.get("configMap") for each in sources]
    assert {each["name"] for each in maps if each} <= CONFIG.keys()
    secrets = [each.get("secretRef") or each.get("secret") for each in sources]
    needed = {each.get("name") or each["secretName"] for each in secrets if each and not each.get("optional")}
    assert needed <= SECRETS_BY_HAND
    claims = [each["metadata"] for each in WORKLOADS[workload]["spec"].get("volumeClaimTemplates", [])]
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


@pytest.mark.parametrize("service", SERVICES)
def test_termination_leaves_time_to_drain(service: str) -> None:
    """A service ends within ten seconds of SIGTERM, which comes after preStop."""
    waits = container(service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert pod(service)["terminationGracePeriodSeconds"] >= waits + 10 + 5


@pytest.mark.parametrize(
    ("service", "variable"), [("gateway", "NATS_URL"), ("auth", "MONGO_URL"), ("history", "MONGO_URL")]
)
def test_addresses_are_services_of_the_base(service: str, variable: str) -> None:
    """Host and port of every URL belong to a Service, or to a pod behind a headless one."""
    match = re.match(r"\w+://([a-z0-9.-]+):(\d+)", environment(service)[variable])
    assert match
    host, port = match[1].rpartition(".")[2], int(match[2])
    assert port in [each["port"] for each in named("Service")[host]["spec"]["ports"]]


def test_nats_cluster_is_one_thing() -> None:
    """Replicas, routes, ports and the replicas of the stream fit together."""
    config, spec = CONFIG["nats-config"]["nats.conf"], WORKLOADS["nats"]["spec"]
    routes = re.findall(r"nats://(\S+):(\d+)", config)
    assert routes == [
        (f"nats-{i}.{spec['serviceName']}", str(ports("nats")["cluster"])) for i in range(spec["replicas"])
    ]
    assert re.findall(r"^\s*port: (\d+)$", config, re.MULTILINE) == [
        str(ports("nats")[each]) for each in ("client", "cluster")
    ]
    assert f"http_port: {ports('nats')['monitor']}\n" in config
    assert 1 < int(environment("history")["MESSAGES_REPLICAS"]) <= spec["replicas"]
    mounts = {each["mountPath"] for each in container("nats")["volumeMounts"]}
    assert {"/data", "/run/nats", "/etc/nats-config"} == mounts
    assert "store_dir: /data\n" in config


def test_mongodb_replica_set_is_one_thing() -> None:
    """mongod, the script that initiates the set, and the clients mean the same set and member."""
    arguments = container("mongodb")["args"]
    name = arguments[arguments.index("--replSet") + 1]
    script = CONFIG["mongodb-scripts"]["replica-set.js"]
    assert f'_id: "{name}"' in script
    (member,) = (each["value"] for each in container("mongodb")["env"] if each["name"] == "REPLICA_SET_HOST")
    for service in ("auth", "history"):
        assert environment(service)["MONGO_URL"] == f"mongodb://{member}/?replicaSet={name}"


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
