"""The manifests against what the services, NATS and MongoDB really read and listen on."""

import re

import pytest

from runtime import credentials
from runtime.settings import load as load_settings
from services.history.settings import SetupSettings
from tests.support.manifests import (
    KEY_MODE,
    OVERLAYS,
    SERVICES,
    overlay,
    settings_type,
    variables,
)

ALL = ("base", *OVERLAYS)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("service", SERVICES)
def test_service_starts_from_its_config_maps(name: str, service: str) -> None:
    """The settings load from these variables alone, none is misspelt, and the ports are the container's."""
    given = overlay(name).environment(service)
    settings = load_settings(settings_type(service), given)
    assert given.keys() <= set(variables(settings))
    mounts = {each["name"]: each["mountPath"] for each in overlay(name).container(service)["volumeMounts"]}
    assert mounts["tmp"] == "/tmp"  # noqa: S108 - what images call it
    listening = {"admin": int(given["ADMIN_PORT"])} | ({"http": int(given["PORT"])} if "PORT" in given else {})
    assert overlay(name).ports(service) == listening


@pytest.mark.parametrize("name", ALL)
def test_the_admin_step_starts_from_its_config_maps(name: str) -> None:
    """The settings load, with nothing misspelt; its database is history's; all copies of a stream have a server."""
    given = overlay(name).environment("setup")
    assert given.keys() <= set(variables(load_settings(SetupSettings, given)))
    assert overlay(name).container("setup")["args"] == ["setup"]
    assert given["MONGO_DATABASE"] == overlay(name).environment("history")["MONGO_DATABASE"]
    assert int(given["MESSAGES_REPLICAS"]) == overlay(name).workloads["nats"]["spec"]["replicas"]


def test_what_an_overlay_is_for() -> None:
    """Production lets in WebSockets and members alone; a laptop's lets guests in and shows what describes the API."""
    production, dev = overlay("production"), overlay("dev")
    assert production.environment("gateway")["TRANSPORTS"] == "websocket"
    assert production.environment("gateway")["DOCS"] == "false"
    assert production.environment("gateway")["TRUSTED_PROXIES"]
    assert production.environment("auth")["ALLOW_GUESTS"] == "false"
    assert dev.environment("gateway")["DOCS"] == "true"
    assert dev.environment("auth")["ALLOW_GUESTS"] == "true"
    assert {each["spec"]["replicas"] for each in dev.workloads.values()} == {1}


@pytest.mark.parametrize("name", ALL)
def test_addresses_are_services(name: str) -> None:
    """Host and port of every URL belong to a Service, or to a pod behind a headless one."""
    manifests = overlay(name)
    for service, variable in (("gateway", "NATS_URL"), ("auth", "MONGO_URL"), ("history", "MONGO_URL")):
        match = re.match(r"\w+://(?:\w+@)?([^/]+)", manifests.environment(service)[variable])
        assert match
        for address in match[1].split(","):
            host, port = address.split(":")
            spec = manifests.named("Service")[host.rpartition(".")[2]]["spec"]
            assert int(port) in [each["port"] for each in spec["ports"]]


def test_signing_keys_are_readable_for_auth_alone() -> None:
    """The keys are where the settings say, and their mode lets nobody in but root and the service's group."""
    manifests = overlay("base")
    (volume,) = (each for each in manifests.pod("auth")["volumes"] if each["name"] == "signing-keys")
    (mount,) = (each for each in manifests.container("auth")["volumeMounts"] if each["name"] == "signing-keys")
    assert manifests.environment("auth")["SIGNING_KEYS_DIR"] == mount["mountPath"]
    assert "subPath" not in mount, "Kubernetes would not bring a new key"
    assert "items" not in volume["secret"]
    assert volume["secret"]["defaultMode"] == KEY_MODE


@pytest.mark.parametrize(("workload", "user"), [*((each, each) for each in SERVICES), ("setup", "admin")])
def test_each_process_has_its_own_credentials_and_no_others(workload: str, user: str) -> None:
    """The seed is where the settings say, of the right user, and readable for the process alone."""
    manifests = overlay("base")
    secrets = [each["secret"] for each in manifests.pod(workload)["volumes"] if "secret" in each]
    (mounted,) = (each for each in secrets if each["secretName"].startswith("credentials-"))
    assert mounted == {"secretName": f"credentials-{user}", "defaultMode": KEY_MODE}
    (mount,) = (each for each in manifests.container(workload)["volumeMounts"] if each["name"] == "credentials")
    assert manifests.environment(workload)["NATS_NKEY_FILE"] == f"{mount['mountPath']}/{credentials.SEED}"
