"""docker-compose.yml against what the services really read and listen on."""

import re

import pytest
import yaml

from runtime.settings import ServiceSettings
from runtime.settings import load as load_settings
from services.history.settings import SetupSettings
from tests.support.manifests import ROOT, SERVICES, Manifest, settings_type, variables

COMPOSE: dict[str, Manifest] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
# Those that stay, and not those that run once with the same image.
CONTAINERS = [
    (name, each["build"]["args"]["SERVICE"])
    for name, each in COMPOSE.items()
    if "build" in each and each["build"]["args"]["SERVICE"] in SERVICES and each["restart"] == "unless-stopped"
]


def test_every_service_is_in_docker_compose() -> None:
    """Or nothing would be checked below."""
    assert {service for _, service in CONTAINERS} == set(SERVICES)


@pytest.mark.parametrize(("container_name", "service"), CONTAINERS)
def test_service_starts_from_docker_compose(container_name: str, service: str) -> None:
    """The settings load from what docker-compose.yml gives and the image presets, with nothing misspelt."""
    settings = _compose_settings(container_name, service)
    assert _compose_environment(container_name, service).keys() <= set(variables(settings))


def test_the_admin_step_starts_from_what_it_is_given() -> None:
    """The settings load, with nothing misspelt."""
    given = _compose_environment("setup", "history")
    given.pop("ADMIN_PORT", None)  # the image's, for the service
    assert given.keys() <= set(variables(load_settings(SetupSettings, given)))
    assert COMPOSE["setup"]["command"] == ["setup"]
    assert given["MONGO_DATABASE"] == _compose_environment("history", "history")["MONGO_DATABASE"]


def _compose_environment(container_name: str, service: str) -> dict[str, str]:
    # ${NAME:-default} as it is without NAME.
    given = COMPOSE[container_name]["environment"]
    given = {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value) for key, value in given.items()}
    presets = re.search(rf" AS {service}\nENV (.+)", (ROOT / "Dockerfile").read_text())
    assert presets
    return given | dict(preset.split("=") for preset in presets[1].split())


def _compose_settings(container_name: str, service: str) -> ServiceSettings:
    return load_settings(settings_type(service), _compose_environment(container_name, service))


@pytest.mark.parametrize(("container_name", "service"), CONTAINERS)
def test_docker_waits_for_a_service_to_end(container_name: str, service: str) -> None:
    """Longer than it may take after SIGTERM."""
    grace = COMPOSE[container_name]["stop_grace_period"]
    assert float(grace.removesuffix("s")) >= _compose_settings(container_name, service).stop_seconds + 5
