"""The Dockerfile, docker-compose.yml and their neighbours, as far as that goes without a container engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SERVICES = ("gateway", "auth", "history")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
RUN_ONCE = {"signing-key": "no", "credentials": "no", "loadtest": "no", "setup": "on-failure:5"}


def run(*command: str | Path) -> None:
    """Run a tool from this interpreter's environment; its findings become the failure."""
    done = subprocess.run([TOOLS / command[0], *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def stage(name: str) -> str:
    """Return the instructions of one Dockerfile stage."""
    match = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert match
    return match[1]


def service_of(container: str) -> str:
    """Return the SERVICE that a container's image is built from, or an empty string for a foreign image."""
    service: str = CONTAINERS[container].get("build", {}).get("args", {}).get("SERVICE", "")
    return service


def test_hadolint_finds_nothing() -> None:
    """The Dockerfile follows hadolint's rules, informational ones too."""
    run("hadolint", "--no-color", "--failure-threshold", "style", "Dockerfile")


def test_yamllint_finds_nothing() -> None:
    """Compose file and manifests follow .yamllint."""
    run("yamllint", "--strict", "docker-compose.yml", "deploy/compose", "deploy/k8s", "deploy/observability")


@pytest.mark.parametrize("service", SERVICES)
def test_image_holds_one_service(service: str) -> None:
    """A stage copies its own service alone, starts it without a shell, and exposes the port it probes."""
    text = stage(service)
    assert re.findall(r"^COPY services/(\w+)", text, re.MULTILINE) == [service]
    assert f'\nENTRYPOINT ["python", "-m", "services.{service}"]\n' in text
    admin = re.search(r"ADMIN_PORT=(\d+)", text)
    exposed = re.search(r"^EXPOSE (.+)$", text, re.MULTILINE)
    assert admin
    assert exposed
    assert admin[1] in exposed[1].split()


@pytest.mark.parametrize("service", ["service", *SERVICES, "loadtest"])
def test_image_is_not_root_at_the_end(service: str) -> None:
    """Whatever a stage does as root, the last user it sets is the numeric one."""
    users = re.findall(r"^USER (.+)$", stage(service), re.MULTILINE)
    assert not users or users[-1] == "10001:10001"


def test_build_context_is_an_allow_list() -> None:
    """Everything is kept out first, and all that the Dockerfile copies is let in again."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    allowed = [line[1:] for line in lines if line.startswith("!")]
    for source in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert any(f"{source}/".startswith(entry) or source == entry for entry in allowed), source


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_is_hardened(name: str) -> None:
    """The root is read-only, no capabilities but those that MongoDB's image needs, and no way to gain any."""
    each = CONTAINERS[name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert "cap_add" not in each or name == "mongo"
    assert each["security_opt"] == ["no-new-privileges:true"]
    assert not each.get("privileged")


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_is_bounded(name: str) -> None:
    """Memory, processor, processes, log; no more than one core, or Docker would refuse on a machine that has one."""
    each = CONTAINERS[name]
    assert re.fullmatch(r"[0-9]+[mg]", each["mem_limit"])
    assert 0 < each["cpus"] <= 1
    assert each["pids_limit"] > 0
    assert each["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", ["proxy", "gateway"])
def test_connections_are_not_bounded_by_a_default(name: str) -> None:
    """A connection is an open file."""
    assert CONTAINERS[name]["ulimits"]["nofile"] == dict.fromkeys(("soft", "hard"), "${PARLEY_FILES:-65536}")


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_has_a_version_a_restart_policy_and_a_health_check(name: str) -> None:
    """An exact version; all but what runs once come back after a crash, and are asked whether they serve."""
    each = CONTAINERS[name]
    assert re.search(r":v?[0-9]+\.[0-9]+\.[0-9]+(-alpine)?$", each["image"])
    assert each["restart"] == RUN_ONCE.get(name, "unless-stopped")
    assert ("interval" in each["healthcheck"]) == (name not in RUN_ONCE)
    if service_of(name) in SERVICES and name not in RUN_ONCE:
        assert "/readyz" in each["healthcheck"]["test"][-1]


def test_what_is_mounted_exists() -> None:
    """Named volumes are declared, all are used, and mounted files are in the repository."""
    sources = {mount.split(":")[0] for each in CONTAINERS.values() for mount in each.get("volumes", [])}
    files = {source for source in sources if source.startswith("./")}
    assert sources - files == COMPOSE["volumes"].keys()
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_dependencies_can_be_met() -> None:
    """What is waited for exists, and has the health check that the condition needs."""
    for each in CONTAINERS.values():
        for name, how in each.get("depends_on", {}).items():
            assert name in CONTAINERS
            assert how["condition"] != "service_healthy" or "healthcheck" in CONTAINERS[name]
