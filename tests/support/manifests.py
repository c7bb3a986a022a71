"""The manifests of deploy/k8s as kustomize renders them, and what is often asked of them.

`rendered` runs kubectl, which is a wheel of requirements/dev.txt. In `Manifests.config` names are without the hash
that kustomize ends them with.
"""

import functools
import importlib
import re
import subprocess
import sys
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
OVERLAYS = ("dev", "production", "loadtest")
RUNS = ("run", "run-connections")
"""Of the load test: Jobs that people make by hand."""
SCHEMAS = ("1.30", "1.37")
"""The oldest version of Kubernetes that it is for, and the newest that there are schemas of."""
KEY_MODE = 0o440
SERVICES = ("gateway", "auth", "history")
# Made by the operator, not by the base: deploy/k8s/README.md.
SECRETS_BY_HAND = {"signing-keys", *(f"credentials-{user}" for user in (*NATS_USERS, "mongo"))}
MAPS_BY_HAND = {"nats-nkeys"}
KUBECTL = Path(sys.executable).with_name("kubectl")
_HASHED = re.compile(r"^((?:common|gateway|auth|history|setup|nats)-config|mongodb-scripts)-[a-z0-9]{10}$")


class Manifests:
    """What is applied together."""

    def __init__(self, objects: list[Manifest]) -> None:
        self.objects = objects
        self.workloads = {**self.named("Deployment"), **self.named("StatefulSet")}
        self.pods = {**self.workloads, **self.named("Job")}
        self.config = {_unhashed(name): each["data"] for name, each in self.named("ConfigMap").items()}

    def named(self, kind: str) -> dict[str, Manifest]:
        """All of one kind, by name."""
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    def labels(self, workload: str) -> dict[str, str]:
        """Of a workload's or a job's pods."""
        labels: dict[str, str] = self.pods[workload]["spec"]["template"]["metadata"]["labels"]
        return labels

    def pod(self, workload: str) -> Manifest:
        """The pod spec of a workload or a job."""
        spec: Manifest = self.pods[workload]["spec"]["template"]["spec"]
        return spec

    def containers(self, workload: str) -> list[Manifest]:
        """All containers of a pod, those that run first among them."""
        return [*self.pod(workload).get("initContainers", []), *self.pod(workload)["containers"]]

    def container(self, workload: str) -> Manifest:
        """The container of a workload or a job that the pod is there for, named as it is."""
        (only,) = (each for each in self.pod(workload)["containers"] if each["name"] == workload)
        assert isinstance(only, dict)
        return only

    def ports(self, workload: str) -> dict[str, int]:
        """Ports of all of a pod's containers by name."""
        found = [port for each in self.containers(workload) for port in each.get("ports", [])]
        return {each["name"]: each["containerPort"] for each in found}

    def selected(self, selector: Manifest) -> list[str]:
        """Whose pods a label selector (or a Service's plain map of labels) selects."""
        return [name for name in self.pods if matches(selector, self.labels(name))]

    def environment(self, workload: str) -> dict[str, str]:
        """The environment of a workload's container, as its ConfigMaps make it."""
        sources = [
            each["configMapRef"]["name"] for each in self.container(workload)["envFrom"] if "configMapRef" in each
        ]
        return {key: value for source in sources for key, value in self.config[_unhashed(source)].items()}


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector, or a plain map of labels, selects who has `labels`."""
    plain = {} if selector.keys() & {"matchLabels", "matchExpressions"} else selector
    wanted = {**plain, **selector.get("matchLabels", {})}
    choices = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in choices)
    return wanted.items() <= labels.items() and all(labels.get(each["key"]) in each["values"] for each in choices)


def _unhashed(name: str) -> str:
    return _HASHED.sub(r"\1", name)


@functools.cache
def rendered(directory: Path) -> Manifests:
    """What `kubectl apply -k directory` would apply."""
    done = subprocess.run([KUBECTL, "kustomize", directory], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # deprecated fields are warned of
    return Manifests(list(yaml.safe_load_all(done.stdout)))


def overlay(name: str) -> Manifests:
    """One of `OVERLAYS`, or the base."""
    return rendered(BASE if name == "base" else K8S / "overlays" / name)


@functools.cache
def run(name: str) -> Manifests:
    """One of `RUNS`, with its Job called `loadtest` instead of whatever the API server makes of `generateName`."""
    job = yaml.safe_load((K8S / "overlays" / "loadtest" / f"{name}.yaml").read_text())
    return Manifests([{**job, "metadata": {**job["metadata"], "name": "loadtest"}}])


def composed(folder: Path, *components: str) -> Manifests:
    """The base with components, by an overlay that is made in `folder`, which has to be on the same file system."""
    text = {
        "namespace": "parley",
        "resources": [relative(folder, BASE)],
        "components": [relative(folder, K8S / "components" / each) for each in components],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return rendered(folder)


def relative(folder: Path, to: Path) -> str:
    """The way from `folder` to another, as kustomize wants resources to be named."""
    return "../" * (len(folder.resolve().parts) - 1) + str(to.resolve()).lstrip("/")


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
