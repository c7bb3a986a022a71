"""Every pod of every overlay: Pod Security's restricted standard, and what Parley asks beyond it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.manifests import OVERLAYS, RUNS, SERVICES, Manifest, overlay, run
from tests.support.pod_rules import RULES

ALL = ("base", *OVERLAYS)
PODS = [(name, workload) for name in ALL for workload in overlay(name).pods]


@pytest.mark.parametrize("rule", RULES)
def test_pods_keep_to(rule: str) -> None:
    """See the rules; the load tests' pods, which are made by hand, keep to them, too."""
    pods = {f"{name}/{workload}": overlay(name).pod(workload) for name, workload in PODS}
    pods |= {name: run(name).pod("loadtest") for name in RUNS}
    assert {name: list(RULES[rule](pod)) for name, pod in pods.items()} == {name: [] for name in pods}


def _set(*path: Any, to: Any) -> Callable[[Manifest], None]:
    def change(pod: Manifest) -> None:
        at: Any = pod
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = to

    return change


def _without(*path: Any) -> Callable[[Manifest], None]:
    def change(pod: Manifest) -> None:
        at: Any = pod
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]

    return change


CONTEXT = ("containers", 0, "securityContext")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("no_token", _without("serviceAccountName")),
        ("no_token", _without("automountServiceAccountToken")),
        ("no_token", _set("enableServiceLinks", to=True)),
        ("no_root", _set("securityContext", "runAsNonRoot", to=False)),
        ("no_root", _set("securityContext", "runAsUser", to=0)),
        ("no_root", _without("securityContext", "fsGroup")),
        ("no_root", _set(*CONTEXT, "runAsUser", to=0)),
        ("no_privileges", _without("securityContext", "seccompProfile")),
        ("no_privileges", _set("hostNetwork", to=True)),
        ("no_privileges", _without(*CONTEXT, "allowPrivilegeEscalation")),
        ("no_privileges", _set(*CONTEXT, "privileged", to=True)),
        ("no_privileges", _set(*CONTEXT, "capabilities", to={"drop": ["ALL"], "add": ["NET_RAW"]})),
        ("no_privileges", _set("initContainers", to=[{"name": "first", "securityContext": {}}])),
        ("no_privileges", _set("containers", 0, "ports", 0, "hostPort", to=80)),
        ("nothing_writable", _without(*CONTEXT, "readOnlyRootFilesystem")),
        ("nothing_writable", _set("volumes", 0, to={"name": "docker", "hostPath": {"path": "/"}})),
        ("nothing_writable", _set("volumes", 0, to={"name": "tmp", "emptyDir": {}})),
        ("nothing_writable", _set("volumes", 0, to={"name": "key", "secret": {"secretName": "key"}})),
        ("bounded", _without("containers", 0, "resources", "requests", "cpu")),
        ("bounded", _set("containers", 0, "resources", "limits", "memory", to="1Ti")),
        ("bounded", _set("containers", 0, "resources", "limits", "cpu", to="1")),
    ],
)
def test_rule_finds_what_is_wrong(rule: str, change: Callable[[Manifest], None]) -> None:
    """Each rule has something to say about a gateway that breaks it, so that it is one."""
    pod = copy.deepcopy(overlay("base").pod("gateway"))
    assert list(RULES[rule](pod)) == []
    change(pod)
    assert list(RULES[rule](pod)) != []


@pytest.mark.parametrize("name", ALL)
def test_accounts_have_no_token_either(name: str) -> None:
    """One for each workload, and whoever uses it without saying so gets no token."""
    manifests = overlay(name)
    accounts = manifests.named("ServiceAccount")
    used = {manifests.pod(workload)["serviceAccountName"]: workload for workload in manifests.pods}
    assert used == {workload: workload for workload in manifests.pods}
    assert accounts.keys() - {"loadtest"} == used.keys()
    assert all(each["automountServiceAccountToken"] is False for each in accounts.values())


@pytest.mark.parametrize("name", ALL)
def test_namespace_refuses_others(name: str) -> None:
    """Pod Security admits pods of the restricted standard alone, by a version that an upgrade does not move."""
    labels = overlay(name).named("Namespace")["parley"]["metadata"]["labels"]
    for mode in ("enforce", "warn", "audit"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert labels["pod-security.kubernetes.io/enforce-version"].startswith("v1.")


@pytest.mark.parametrize(("name", "workload"), [each for each in PODS if each[1] != "setup"])
def test_probes_use_ports_that_exist(name: str, workload: str) -> None:
    """Startup, liveness and readiness are all checked, and a named port is one of the pod's."""
    manifests = overlay(name)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        check = manifests.container(workload)[probe]
        target = check.get("httpGet") or check.get("tcpSocket")
        assert target["port"] in manifests.ports(workload) if target else check["exec"]["command"]
    for each in manifests.pod(workload)["containers"]:
        assert {"livenessProbe", "readinessProbe"} <= each.keys()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", SERVICES)
def test_service_is_probed_on_its_admin_port(name: str, service: str) -> None:
    """Liveness never depends on NATS or MongoDB; readiness does."""
    only = overlay(name).container(service)
    assert only["startupProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}
    assert only["startupProbe"]["failureThreshold"] * only["startupProbe"]["periodSeconds"] >= 60
    assert only["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}
    assert only["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "admin"}


@pytest.mark.parametrize(("name", "workload"), [each for each in PODS if each[1] != "setup"])
def test_selectors_match(name: str, workload: str) -> None:
    """A workload owns its own pods and no other's; so do its budget and what spreads it over zones and nodes."""
    manifests = overlay(name)
    assert manifests.selected(manifests.workloads[workload]["spec"]["selector"]) == [workload]
    spread = manifests.pod(workload)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert all(manifests.selected(each["labelSelector"]) == [workload] for each in spread)
    assert {each["maxSkew"] for each in spread} == {1}
    budget = manifests.named("PodDisruptionBudget")[workload]["spec"]
    assert budget["maxUnavailable"] == 1
    assert manifests.selected(budget["selector"]) == [workload]
    # A full gateway is not ready, and must not be evicted beyond the budget; nor is a store that catches up.
    policy = budget.get("unhealthyPodEvictionPolicy", "IfHealthyBudget")
    assert policy == ("AlwaysAllow" if workload in {"auth", "history"} else "IfHealthyBudget")


@pytest.mark.parametrize("name", ALL)
def test_services_lead_to_ports_of_a_workload(name: str) -> None:
    """Each Service selects one workload, each target port is a port of it, and the public one shows no other."""
    manifests = overlay(name)
    services = manifests.named("Service")
    services.pop("loadtest", None)  # leads to runs: test_load_runs.py
    for each in services.values():
        (workload,) = manifests.selected(each["spec"]["selector"])
        assert {port["targetPort"] for port in each["spec"]["ports"]} <= manifests.ports(workload).keys()
    (public,) = services["gateway"]["spec"]["ports"]
    assert (public["targetPort"], public["appProtocol"]) == ("http", "kubernetes.io/ws")
