"""The NetworkPolicies: who may talk to whom, and that nobody else may."""

import pytest

from tests.support.flows import Peer, all_ports, may, pod
from tests.support.manifests import OVERLAYS, RUNS, SERVICES, overlay, run

STORES = ("auth", "history", "setup")
INSIDE = {
    *((each, "nats", "client") for each in (*SERVICES, "setup")),
    *((each, "mongodb", "mongodb") for each in (*STORES, "mongodb")),
    ("nats", "nats", "cluster"),
}
PROMETHEUS = Peer("monitoring", {"app.kubernetes.io/name": "prometheus"})
PROXY = Peer("gateway-system", {"app": "proxy"})
STRANGER = Peer("default", {"app.kubernetes.io/name": "gateway", "app.kubernetes.io/part-of": "parley"})
WORLD = Peer("", {})
SOLVER = Peer("parley", {"acme.cert-manager.io/http01-solver": "true"})
DNS = Peer("kube-system", {"k8s-app": "kube-dns"})


@pytest.mark.parametrize("name", OVERLAYS)
def test_all_that_may_pass_within(name: str) -> None:
    """Every pair of pods and every port: what is listed, and nothing else."""
    manifests = overlay(name)
    found = {
        (source, target, port)
        for source in manifests.pods
        for target, port in all_ports(manifests)
        if may(manifests, pod(manifests, source), pod(manifests, target), port)
    }
    assert found == INSIDE


@pytest.mark.parametrize("name", OVERLAYS)
def test_all_that_may_come_in(name: str) -> None:
    """The proxies reach the public port and nothing else; Prometheus the metrics; nobody else anything."""
    manifests = overlay(name)
    reached = {
        who: {
            (target, port)
            for target, port in all_ports(manifests)
            if may(manifests, peer, pod(manifests, target), port)
        }
        for who, peer in {"proxy": PROXY, "prometheus": PROMETHEUS, "stranger": STRANGER, "world": WORLD}.items()
    }
    assert reached == {
        "proxy": {("gateway", "http")},
        "prometheus": {*((each, "admin") for each in SERVICES), ("nats", "metrics")},
        "stranger": set(),
        "world": set(),
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_all_that_may_go_out(name: str) -> None:
    """Names for all, keys of trusted issuers for auth, traces for the services, and nothing else."""
    manifests = overlay(name)
    for workload in manifests.pods:
        source = pod(manifests, workload)
        assert may(manifests, source, DNS, 53)
        assert may(manifests, source, WORLD, 443) == (workload == "auth")
        assert may(manifests, source, PROMETHEUS, 4318) == (workload in SERVICES)
        assert not may(manifests, source, WORLD, 80)
        assert not may(manifests, source, STRANGER, 8080)


@pytest.mark.parametrize("name", OVERLAYS)
def test_whoever_is_not_thought_of_is_denied(name: str) -> None:
    """A pod that no policy names can neither be reached nor reach anybody."""
    manifests = overlay(name)
    unknown = Peer("parley", {"app": "shell"})
    assert not may(manifests, PROXY, unknown, "http")
    assert not may(manifests, unknown, WORLD, 443)
    assert not any(may(manifests, unknown, pod(manifests, target), port) for target, port in all_ports(manifests))


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_acme_issuer_gets_its_answer(name: str) -> None:
    """The public certificate comes from who asks at port 80: the proxies ask a pod that cert-manager puts here."""
    manifests = overlay(name)
    assert may(manifests, PROXY, SOLVER, 8089)
    assert not any(may(manifests, each, SOLVER, 8089) for each in (STRANGER, WORLD, PROMETHEUS))
    assert not may(manifests, SOLVER, WORLD, 443)


def test_issuers_are_outside() -> None:
    """What auth may ask is nothing of the cluster's own networks, nor the metadata service of a cloud."""
    (rule,) = overlay("production").named("NetworkPolicy")["auth-to-issuers"]["spec"]["egress"]
    four, six = (each["ipBlock"] for each in rule["to"])
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(four["except"])
    assert {"fc00::/7", "fe80::/10"} == set(six["except"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_policies_name_pods_and_ports(name: str) -> None:
    """A policy with a selector or a port that matches nothing would open nothing, silently."""
    manifests = overlay(name)
    extra = {"app.kubernetes.io/name": "loadtest", "app.kubernetes.io/part-of": "parley", **SOLVER.labels}
    for policy in manifests.named("NetworkPolicy").values():
        spec = policy["spec"]
        selected = manifests.selected(spec["podSelector"])
        assert selected or spec["podSelector"]["matchLabels"].items() <= extra.items()
        for port in (port for rule in spec.get("ingress", []) for port in rule["ports"]):
            assert all(port["port"] in manifests.ports(workload) for workload in selected)


@pytest.mark.parametrize("name", RUNS)
def test_load_reaches_the_gateways(name: str) -> None:
    """The load test's pods reach the public port and the metrics; each other where the one who leads listens."""
    manifests, load = overlay("loadtest"), pod(run(name), "loadtest")
    reached = {each for each in all_ports(manifests) if may(manifests, load, pod(manifests, each[0]), each[1])}
    assert reached == {("gateway", "http"), ("gateway", "admin")}
    assert may(manifests, load, load, "lead")
    assert not may(manifests, load, load, "http")
    assert not any(
        may(manifests, each, load, "lead") for each in (STRANGER, WORLD, PROMETHEUS, pod(manifests, "auth"))
    )
    assert may(manifests, load, DNS, 53)
    assert not may(manifests, load, WORLD, 443)
