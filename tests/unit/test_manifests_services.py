"""deploy/k8s and docker-compose.yml against what the services, NATS and MongoDB really read and listen on."""

import re

import pytest
import yaml

from runtime.settings import ServiceSettings
from runtime.settings import load as load_settings
from services.history.settings import SetupSettings
from tests.support.manifests import (
    CONFIG,
    ROOT,
    SERVICES,
    WORKLOADS,
    Manifest,
    container,
    environment,
    named,
    pod,
    ports,
    settings_type,
    variables,
)

CONTAINERS = [("gateway-1", "gateway"), ("gateway-2", "gateway"), ("auth", "auth"), ("history", "history")]


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


@pytest.mark.parametrize(("container_name", "service"), CONTAINERS)
def test_service_starts_from_docker_compose(container_name: str, service: str) -> None:
    """The settings load from what docker-compose.yml gives and the image presets, with nothing misspelt."""
    settings = _compose_settings(container_name, service)
    assert _compose_environment(container_name, service).keys() <= set(variables(settings))


def test_the_admin_step_starts_from_what_it_is_given() -> None:
    """In Kubernetes and in docker-compose.yml: the settings load, with nothing misspelt."""
    for given in (environment("setup"), _compose_environment("setup", "history")):
        given.pop("ADMIN_PORT", None)  # the image's, for the service
        assert given.keys() <= set(variables(load_settings(SetupSettings, given)))
    assert container("setup")["args"] == _compose("setup")["command"] == ["setup"]
    assert _compose_environment("setup", "history")["MONGO_DATABASE"] == environment("history")["MONGO_DATABASE"]
    assert environment("setup")["MONGO_DATABASE"] == environment("history")["MONGO_DATABASE"]


def _compose(container_name: str) -> Manifest:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    only: Manifest = compose["services"][container_name]
    return only


def _compose_environment(container_name: str, service: str) -> dict[str, str]:
    # ${NAME:-default} as it is without NAME.
    given = _compose(container_name)["environment"]
    given = {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in given.items()}
    presets = re.search(rf" AS {service}\nENV (.+)", (ROOT / "Dockerfile").read_text())
    assert presets
    return given | dict(preset.split("=") for preset in presets[1].split())


def _compose_settings(container_name: str, service: str) -> ServiceSettings:
    return load_settings(settings_type(service), _compose_environment(container_name, service))


@pytest.mark.parametrize("service", SERVICES)
def test_termination_leaves_time_to_drain(service: str) -> None:
    """Kubernetes waits for preStop and for as long as the service may take after SIGTERM, with some reserve."""
    waits = container(service).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    ends_within = load_settings(settings_type(service), environment(service)).stop_seconds
    assert pod(service)["terminationGracePeriodSeconds"] >= waits + ends_within + 5


@pytest.mark.parametrize(("container_name", "service"), CONTAINERS)
def test_docker_waits_for_a_service_to_end(container_name: str, service: str) -> None:
    """Longer than it may take after SIGTERM."""
    grace = _compose(container_name)["stop_grace_period"]
    assert float(grace.removesuffix("s")) >= _compose_settings(container_name, service).stop_seconds + 5


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
    assert 1 < int(environment("setup")["MESSAGES_REPLICAS"]) <= spec["replicas"]
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
    for service in ("auth", "history", "setup"):
        assert environment(service)["MONGO_URL"] == f"mongodb://{member}/?replicaSet={name}"
