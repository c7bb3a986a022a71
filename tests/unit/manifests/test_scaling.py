"""How pods come, go and are replaced, so that clients notice as little of it as can be."""

from pathlib import Path

import pytest
import yaml

from deploy.local.unlimited import UNLIMITED
from runtime.settings import load as load_settings
from services.gateway.settings import GatewaySettings
from tests.support.manifests import (
    K8S,
    OVERLAYS,
    SERVICES,
    Manifest,
    composed,
    overlay,
    relative,
    rendered,
    settings_type,
)

ALL = ("base", *OVERLAYS)
ADAPTER = K8S / "components" / "monitoring" / "prometheus-adapter.values.yaml"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", SERVICES)
def test_termination_leaves_time_to_drain(name: str, service: str) -> None:
    """Kubernetes waits for preStop and for as long as the service may take after SIGTERM, with some reserve."""
    manifests = overlay(name)
    waits = manifests.container(service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    ends_within = load_settings(settings_type(service), manifests.environment(service)).stop_seconds
    assert manifests.pod(service)["terminationGracePeriodSeconds"] >= waits + ends_within + 5
    assert waits >= 10 or service != "gateway", "load balancers have to learn of it first"


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", SERVICES)
def test_an_update_takes_nothing_away_before_there_is_more(name: str, service: str) -> None:
    """Never fewer ready pods than before, and for gateways a quarter at a time."""
    spec = overlay(name).workloads[service]["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    if service == "gateway":
        assert spec["strategy"]["rollingUpdate"]["maxSurge"] == "25%"
    assert "minReadySeconds" in spec
    assert spec["minReadySeconds"] > 0 or name == "dev"


@pytest.mark.parametrize("name", ALL)
def test_an_autoscaler_alone_says_how_many(name: str) -> None:
    """Applying manifests anew changes no number that an autoscaler has chosen; without one there is a number."""
    manifests = overlay(name)
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in manifests.named("HorizontalPodAutoscaler").values()}
    assert scaled == (set(SERVICES) if name in {"base", "production"} else set())
    for service in SERVICES:
        assert ("replicas" in manifests.workloads[service]["spec"]) == (service not in scaled)


def _behavior(name: str, target: str) -> Manifest:
    behavior: Manifest = overlay(name).named("HorizontalPodAutoscaler")[target]["spec"]["behavior"]
    return behavior


@pytest.mark.parametrize("name", ["base", "production"])
def test_gateways_are_scaled_by_connections_and_cpu(name: str) -> None:
    """If one of three goes, the others have room for its clients; and none needs more than half of its core."""
    manifests = overlay(name)
    spec = manifests.named("HorizontalPodAutoscaler")["gateway"]["spec"]
    pods, cpu = spec["metrics"]
    assert pods["pods"]["metric"]["name"] == "parley_gateway_connections"
    most = load_settings(GatewaySettings, manifests.environment("gateway")).allowed.connections_most
    assert int(pods["pods"]["target"]["averageValue"]) * 3 / 2 <= most
    assert cpu["resource"]["target"] == {"type": "AverageValue", "averageValue": "500m"}
    assert spec["minReplicas"] >= (3 if name == "production" else 2)
    assert spec["maxReplicas"] > spec["minReplicas"]


def _slow(behavior: Manifest) -> None:
    down = behavior["scaleDown"]
    assert 600 <= down["stabilizationWindowSeconds"] <= 900
    assert {"type": "Pods", "value": 1, "periodSeconds": 180} in down["policies"]
    assert all(each["value"] <= 10 and each["periodSeconds"] >= 120 for each in down["policies"])
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0


@pytest.mark.parametrize("name", ["base", "production"])
def test_gateways_are_taken_away_slowly(name: str) -> None:
    """Each that goes moves its clients: at most one or a tenth in three minutes, after a quarter of an hour."""
    _slow(_behavior(name, "gateway"))
    assert _behavior(name, "auth")["scaleDown"]["stabilizationWindowSeconds"] >= 300
    assert _behavior(name, "history")["scaleDown"]["stabilizationWindowSeconds"] >= 300


def test_history_is_scaled_by_its_lag() -> None:
    """By what is stored and not yet persisted, from the adapter; auth by its CPU."""
    lag, _ = overlay("base").named("HorizontalPodAutoscaler")["history"]["spec"]["metrics"]
    assert lag["external"]["metric"]["name"] == "parley_history_lag_messages"
    (cpu,) = overlay("base").named("HorizontalPodAutoscaler")["auth"]["spec"]["metrics"]
    assert cpu["resource"]["name"] == "cpu"


def test_the_adapter_serves_what_the_autoscalers_ask_for() -> None:
    """Its rules make metrics of the very names, of pods where it is of pods, and a maximum of what all see alike."""
    rules = yaml.safe_load(ADAPTER.read_text())["rules"]
    (custom,), (external,) = rules["custom"], rules["external"]
    scalers = overlay("base").named("HorizontalPodAutoscaler")
    assert custom["name"]["as"] == scalers["gateway"]["spec"]["metrics"][0]["pods"]["metric"]["name"]
    assert external["name"]["as"] == scalers["history"]["spec"]["metrics"][0]["external"]["metric"]["name"]
    assert set(custom["resources"]["overrides"]) == {"namespace", "pod"}
    assert external["metricsQuery"].startswith("max(")
    for each in (custom, external):
        assert each["seriesQuery"].startswith(each["name"]["as"] + "{")
        assert each["name"]["matches"] == f"^{each['name']['as']}$"


def test_keda_does_the_same_instead(tmp_path: Path) -> None:
    """Its objects scale the same by the same, and the autoscalers of these two are gone."""
    manifests = composed(tmp_path, "keda")
    assert set(manifests.named("HorizontalPodAutoscaler")) == {"auth"}
    for target, query in (
        ("gateway", "sum(parley_gateway_connections"),
        ("history", "max(parley_history_lag_messages"),
    ):
        ours, theirs = (
            manifests.named("ScaledObject")[target]["spec"],
            overlay("base").named("HorizontalPodAutoscaler"),
        )
        spec = theirs[target]["spec"]
        assert ours["scaleTargetRef"]["name"] == target
        assert (ours["minReplicaCount"], ours["maxReplicaCount"]) == (spec["minReplicas"], spec["maxReplicas"])
        prometheus, cpu = ours["triggers"]
        assert prometheus["metadata"]["query"].startswith(query)
        assert prometheus["metricType"] == "AverageValue", "KEDA 2.17.0 admits no fallback without"
        metric = next(iter(each for each in spec["metrics"] if each["type"] != "Resource"))
        assert prometheus["metadata"]["threshold"] == metric[metric["type"].lower()]["target"]["averageValue"]
        assert cpu["metadata"]["value"] == spec["metrics"][1]["resource"]["target"]["averageValue"]
        assert ours["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == spec["behavior"]
        assert ours["fallback"]["behavior"] == "currentReplicasIfHigher"


@pytest.mark.parametrize("name", ["base", "production"])
def test_a_drained_node_or_zone_is_survived(name: str) -> None:
    """Stores have a majority left; in production no two of them share a node."""
    for workload in ("nats", "mongodb"):
        manifests = overlay(name)
        assert manifests.workloads[workload]["spec"]["replicas"] == 3
        _, by_node = manifests.pod(workload)["topologySpreadConstraints"]
        wanted = "DoNotSchedule" if name == "production" else "ScheduleAnyway"
        assert by_node["whenUnsatisfiable"] == wanted


@pytest.mark.parametrize("name", ALL)
def test_the_admin_step_can_be_applied_again(name: str) -> None:
    """A Job cannot be changed, so it is gone before long; those who apply for others know that they replace it."""
    job = overlay(name).named("Job")["setup"]
    assert job["spec"]["ttlSecondsAfterFinished"] <= 600
    assert job["metadata"]["annotations"] == {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        "kustomize.toolkit.fluxcd.io/force": "enabled",
    }
    assert overlay(name).pod("setup")["restartPolicy"] == "OnFailure"


def test_the_load_test_lifts_what_load_tests_lift() -> None:
    """The same limits as on one machine."""
    environment = overlay("loadtest").environment("gateway")
    assert {key: environment[key] for key in UNLIMITED} == dict(UNLIMITED)


def test_components_go_on_top_of_production(tmp_path: Path) -> None:
    """An overlay of one's own has production as its resource, adds what is to be different, and sets what it must."""
    text = {
        "namespace": "parley",
        "resources": [relative(tmp_path, K8S / "overlays" / "production")],
        "components": [relative(tmp_path, K8S / "components" / each) for each in ("keda", "external-mongodb")],
        "configMapGenerator": [
            {"name": "gateway-config", "behavior": "merge", "literals": ["TRUSTED_PROXIES=10.1.0.0/16"]}
        ],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(text))
    manifests = rendered(tmp_path)
    assert set(manifests.named("HorizontalPodAutoscaler")) == {"auth"}
    scaled = manifests.named("ScaledObject")["gateway"]["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (3, 50)
    assert set(manifests.named("StatefulSet")) == {"nats"}
    assert manifests.environment("gateway")["TRUSTED_PROXIES"] == "10.1.0.0/16"
    assert manifests.environment("gateway")["TRANSPORTS"] == "websocket"
