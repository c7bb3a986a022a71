"""The manifests of deploy/k8s: `load` reads the few kustomization fields in use, so no kustomize is needed."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from runtime.credentials import NATS_USERS
from runtime.settings import ServiceSettings

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
BASE = K8S / "base"
SCHEMA = "1.34"
KEY_MODE = 0o440
SERVICES = ("gateway", "auth", "history")
# Made by the operator, not by the base: deploy/k8s/README.md.
SECRETS_BY_HAND = {"signing-keys", *(f"credentials-{user}" for user in NATS_USERS)}
MAPS_BY_HAND = {"nats-nkeys"}


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
PODS = {**WORKLOADS, **named("Job")}
CONFIG = {name: each["data"] for name, each in named("ConfigMap").items()}


def pod(workload: str) -> Manifest:
    """Return the pod spec of a workload or a job."""
    spec: Manifest = PODS[workload]["spec"]["template"]["spec"]
    return spec


def container(workload: str) -> Manifest:
    """Return the only container of a workload or a job."""
    (only,) = pod(workload)["containers"]
    assert isinstance(only, dict)
    return only


def ports(workload: str) -> dict[str, int]:
    """Return container ports by name."""
    return {each["name"]: each["containerPort"] for each in container(workload)["ports"]}


def selected(selector: Manifest) -> list[str]:
    """Return the workloads and jobs whose pods a label selector (or a Service's plain map of labels) selects."""
    plain = {} if selector.keys() & {"matchLabels", "matchExpressions"} else selector
    wanted = {**plain, **selector.get("matchLabels", {})}
    choices = selector.get("matchExpressions", [])
    found = []
    for name, workload in PODS.items():
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
