"""How clients come in, certificates, and what Prometheus and Grafana get."""

import json
import re
from pathlib import Path

import pytest
import yaml

from services.gateway.edge.limits import Limits
from tests.support.manifests import K8S, Manifest, composed, overlay

PING_SECONDS = Limits().ping_interval + Limits().ping_timeout


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Of the component, which no overlay has."""
    return composed(tmp_path_factory.mktemp("ingress"), "ingress").named("Ingress")["gateway"]


def test_gateway_leads_to_the_public_port() -> None:
    """By TLS, with a certificate that is made here; without it one is sent there. Nothing else is let out."""
    manifests = overlay("production")
    spec = manifests.named("Gateway")["parley"]["spec"]
    https, http = spec["listeners"]
    assert (https["port"], https["protocol"], http["port"], http["protocol"]) == (443, "HTTPS", 80, "HTTP")
    made = {each["spec"]["secretName"]: each["spec"] for each in manifests.named("Certificate").values()}
    (reference,) = https["tls"]["certificateRefs"]
    assert https["hostname"] in made[reference["name"]]["dnsNames"]
    route = manifests.named("HTTPRoute")["gateway"]["spec"]
    assert route["parentRefs"] == [{"name": "parley", "sectionName": "https"}]
    (service,) = manifests.named("Service")["gateway"]["spec"]["ports"]
    for rule in route["rules"]:
        assert rule["backendRefs"] == [{"name": "gateway", "port": service["port"]}]
    redirect = manifests.named("HTTPRoute")["gateway-redirect"]["spec"]
    assert redirect["parentRefs"] == [{"name": "parley", "sectionName": "http"}]
    assert redirect["rules"][0]["filters"][0]["requestRedirect"]["scheme"] == "https"
    assert redirect["hostnames"] == route["hostnames"] == [https["hostname"]] == [http["hostname"]]


def test_gateway_ends_no_websocket() -> None:
    """A WebSocket is a request without an end; the API's have one, later than the slowest answer."""
    sockets, rest = overlay("production").named("HTTPRoute")["gateway"]["spec"]["rules"]
    assert sockets["matches"][0]["path"] == {"type": "PathPrefix", "value": "/socket.io"}
    assert sockets["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert rest["matches"][0]["path"] == {"type": "PathPrefix", "value": "/"}
    assert int(rest["timeouts"]["request"].removesuffix("s")) >= 60


def test_ingress_keeps_connections_and_clients_together(ingress: Manifest) -> None:
    """Idle for longer than a ping takes; and whoever polls stays with one gateway."""
    annotations = ingress["metadata"]["annotations"]
    for controller in ("nginx.ingress.kubernetes.io", "haproxy-ingress.github.io"):
        own = {key.partition("/")[2]: value for key, value in annotations.items() if key.startswith(controller)}
        assert own["affinity"] == "cookie"
        assert own["session-cookie-name"]
        timeouts = {key: value for key, value in own.items() if "timeout" in key}
        assert timeouts
        for value in timeouts.values():
            seconds = int(re.sub(r"\D", "", value)) * (3600 if value.endswith("h") else 1)
            assert seconds > PING_SECONDS
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "gateway", "port": {"name": "http"}}
    assert ingress["spec"]["tls"][0]["hosts"] == [ingress["spec"]["rules"][0]["host"]]


def test_services_and_nats_show_each_other_certificates() -> None:
    """Every process insists on TLS and has its own to show; NATS asks for it, of clients and of other servers."""
    manifests = overlay("production")
    made = {each["spec"]["secretName"]: each["spec"] for each in manifests.named("Certificate").values()}
    for workload in ("gateway", "auth", "history", "setup"):
        given = manifests.environment(workload)
        (volume,) = (each for each in manifests.pod(workload)["volumes"] if each["name"] == "nats-tls")
        (mount,) = (each for each in manifests.container(workload)["volumeMounts"] if each["name"] == "nats-tls")
        files = [given[each] for each in ("NATS_CA_FILE", "NATS_CERT_FILE", "NATS_KEY_FILE")]
        assert files == [f"{mount['mountPath']}/{each}" for each in ("ca.crt", "tls.crt", "tls.key")]
        assert "client auth" in made[volume["secret"]["secretName"]]["usages"]
        host = re.fullmatch(r"tls://([a-z-]+):4222", given["NATS_URL"])
        assert host
        assert host[1] in made["nats-server-tls"]["dnsNames"]
    assert "localhost" in made["nats-server-tls"]["dnsNames"], "people come through `kubectl port-forward`"
    routes = re.findall(r"nats://(\S+):6222", manifests.config["nats-config"]["nats.conf"])
    assert set(routes) <= set(made["nats-server-tls"]["dnsNames"])
    assert {"server auth", "client auth"} <= set(made["nats-server-tls"]["usages"])
    for file in ("nats-tls.conf", "nats-cluster-tls.conf"):
        assert "verify: true\n" in manifests.config["nats-config"][file]
    (mount,) = (each for each in manifests.container("nats")["volumeMounts"] if each["name"] == "tls")
    assert f"cert_file: {mount['mountPath']}/tls.crt\n" in manifests.config["nats-config"]["nats-tls.conf"]


def test_certificates_are_renewed_long_before_they_end() -> None:
    """Processes read them when they start: there are months to do that. The authority keeps its key."""
    for name, each in overlay("production").named("Certificate").items():
        if name == "gateway-tls":
            continue
        spec = each["spec"]
        assert int(spec["renewBefore"].removesuffix("h")) >= 90 * 24
        assert (spec["privateKey"]["rotationPolicy"] == "Never") == bool(spec.get("isCA"))


@pytest.mark.parametrize("name", ["production", "loadtest"])
def test_prometheus_finds_every_pod(name: str) -> None:
    """Jobs and instances have the names that rules and dashboards use, and the port is there."""
    manifests = overlay(name)
    found = {}
    for monitor in manifests.named("PodMonitor").values():
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        job, instance = endpoint["relabelings"]
        assert job["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
        assert (job["targetLabel"], job["replacement"]) == ("job", "parley-$1")
        assert instance == {"sourceLabels": ["__meta_kubernetes_pod_name"], "targetLabel": "instance"}
        assert endpoint["path"] == "/metrics"
        for workload in manifests.selected(monitor["spec"]["selector"]):
            assert endpoint["port"] in manifests.ports(workload)
            found[workload] = "parley-" + manifests.labels(workload)["app.kubernetes.io/name"]
    assert found == {each: f"parley-{each}" for each in ("gateway", "auth", "history", "nats")}


def test_rules_reach_prometheus_and_dashboards_grafana() -> None:
    """All rules, and each dashboard as a ConfigMap that the sidecar looks for and the API server takes."""
    manifests, observability = overlay("production"), K8S.parent / "observability"
    groups = [
        group["name"]
        for file in sorted((observability / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    assert sorted(each["name"] for each in manifests.named("PrometheusRule")["parley"]["spec"]["groups"]) == sorted(
        groups
    )
    boards = {name: each for name, each in manifests.named("ConfigMap").items() if name.startswith("dashboard-")}
    assert boards
    for path in (observability / "dashboards").glob("*.json"):
        board = boards[f"dashboard-{path.stem}"]
        assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(board["data"][path.name]) == json.loads(path.read_text())
        # `kubectl apply` writes all of it once more, escaped, into an annotation of 256 KiB at most.
        assert len(json.dumps(board)) < 200_000


def test_the_monitoring_component_names_every_dashboard() -> None:
    """In kustomize there are no patterns, so they are listed; one more would be forgotten."""
    folder: Path = K8S.parent / "observability"
    listed = [
        each["files"] for each in yaml.safe_load((folder / "kustomization.yaml").read_text())["configMapGenerator"]
    ]
    assert sorted(listed) == sorted([f"dashboards/{path.name}"] for path in (folder / "dashboards").glob("*.json"))
