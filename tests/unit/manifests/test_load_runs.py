"""The Jobs of overlays/loadtest: that their options are good, that their pods find each other, that tokens last."""

from typing import Any

import pytest
import yaml

from loadtests import before, job
from loadtests import run as users
from loadtests.connections import options as connections
from loadtests.locusts import seconds_most
from loadtests.options import parse
from tests.support.manifests import K8S, RUNS, Manifest, overlay, run

ENDING_SECONDS = 300
"""What comes after the last user: the end in order, reading all histories, the report."""


def _container(name: str) -> Manifest:
    return run(name).container("loadtest")


def _values(name: str) -> dict[str, Any]:
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in _container(name)["env"]}


def _minted(name: str) -> tuple[int, int, str]:
    """How many tokens, for how many seconds, and where they go."""
    words = run(name).pod("loadtest")["initContainers"][0]["command"][-1].split()
    users_at, seconds_at, to = (words.index(each) + 1 for each in ("--users", "--seconds", ">"))
    return int(words[users_at]), int(words[seconds_at]), words[to]


@pytest.mark.parametrize("name", RUNS)
def test_each_run_is_a_job_of_its_own(name: str) -> None:
    """Made as often as wanted; what failed is not tried again; what it leaves is there for a day."""
    made = yaml.safe_load((K8S / "overlays" / "loadtest" / f"{name}.yaml").read_text())
    assert made["metadata"]["generateName"].startswith("loadtest-")
    assert "name" not in made["metadata"]
    spec = made["spec"]
    assert (spec.get("backoffLimit"), spec.get("backoffLimitPerIndex")) in {(0, None), (None, 0)}
    assert spec["ttlSecondsAfterFinished"] == 86400
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize("name", RUNS)
def test_users_do_not_see_the_keys(name: str) -> None:
    """Tokens are minted first, by who may see the keys, to where they are read."""
    pod = run(name).pod("loadtest")
    (minting,), (playing,) = pod["initContainers"], pod["containers"]
    assert "signing-keys" in {each["name"] for each in minting["volumeMounts"]}
    assert "signing-keys" not in {each["name"] for each in playing["volumeMounts"]}
    mounts = {each["mountPath"]: each["name"] for each in playing["volumeMounts"]}
    assert f"--tokens={_minted(name)[2]}" in playing["args"]
    assert mounts["/run/parley/tokens"] == "tokens"
    assert mounts[_values(name)["RESULTS"]] == "results"


def test_pods_of_a_run_find_each_other() -> None:
    """Pod 0 listens, under the name that the Service gives it; there are as many others as it waits for."""
    spec, values = run("run").pods["loadtest"]["spec"], _values("run")
    assert spec["completionMode"] == "Indexed"
    service = overlay("loadtest").named("Service")["loadtest"]["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert service["selector"].items() <= run("run").labels("loadtest").items()
    assert spec["template"]["spec"]["subdomain"] == "loadtest"
    # Kubernetes calls the pods of an Indexed Job NAME-INDEX, and labels them with the Job's name.
    assert values["JOB_NAME"] == {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    port = run("run").ports("loadtest")["lead"]
    assert service["ports"] == [{"name": "lead", "port": port, "targetPort": "lead"}]
    assert values["LEAD"] == f"$(JOB_NAME)-0.loadtest:{port}"
    module, *_ = _container("run")["command"][3:]
    assert module in job.MODULES
    args = _container("run")["args"]
    leading = parse([*args, *job.role({**values, "JOB_COMPLETION_INDEX": "0"})], None)
    following = parse(
        [*args, *job.role({**values, "LEAD": f"n-0.loadtest:{port}", "JOB_COMPLETION_INDEX": "3"})], None
    )
    assert (leading.bind, leading.worker_of) == (("0.0.0.0", port), None)  # noqa: S104 - in a pod
    assert (following.bind, following.worker_of) == (None, ("n-0.loadtest", port))
    assert leading.players == leading.expect_workers == spec["parallelism"] - 1 == spec["completions"] - 1


def test_a_run_of_users_can_work() -> None:
    """No more for each pod than one process plays well; tokens for all, that outlive the run; and time for it."""
    options = parse([*_container("run")["args"], "--bind", "127.0.0.1:1"], None)
    assert options.users / options.players <= before._USERS_EACH
    minted, lifetime, _ = _minted("run")
    assert minted >= users._seats(options)
    lasts = options.seconds + 2 * options.users / options.spawn_rate + ENDING_SECONDS
    assert lifetime >= seconds_most(options)
    keeps = float(_values("run")["KEEP_SECONDS"])
    assert run("run").pods["loadtest"]["spec"]["activeDeadlineSeconds"] >= lasts + keeps


def test_a_run_of_connections_can_work() -> None:
    """A token for each, that outlives the run; ports for each, to the one address of the Service; and time for it."""
    command = _container("run-connections")["command"]
    assert command[3] in job.MODULES
    options = connections.parse(_container("run-connections")["args"], None)
    assert options.urls == ["http://gateway"]
    minted, lifetime, _ = _minted("run-connections")
    assert minted >= options.connections
    lasts = options.plan.seconds_most(options.connections) + ENDING_SECONDS
    assert lifetime >= lasts
    keeps = float(_values("run-connections")["KEEP_SECONDS"])
    assert run("run-connections").pods["loadtest"]["spec"]["activeDeadlineSeconds"] >= lasts + keeps
    (ports,) = run("run-connections").pod("loadtest")["securityContext"]["sysctls"]
    first, last = map(int, ports["value"].split())
    assert ports["name"] == "net.ipv4.ip_local_port_range"
    assert last - first > options.connections


@pytest.mark.parametrize("name", RUNS)
def test_metrics_are_those_of_all_gateways(name: str) -> None:
    """The name is of a headless Service, which leads to each pod, at the port that it has there."""
    (url,) = [each.partition("=")[2] for each in _container(name)["args"] if each.startswith("--metrics=")]
    service = overlay("loadtest").named("Service")["gateway-admin"]["spec"]
    (port,) = service["ports"]
    assert service["clusterIP"] == "None"
    assert port["port"] == overlay("loadtest").ports("gateway")["admin"]
    assert url == f"http://gateway-admin:{port['port']}/metrics"
