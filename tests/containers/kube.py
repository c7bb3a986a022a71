"""The pods of the rendered manifests, run by `podman kube play`, changed only where podman 4 differs from Kubernetes.

- A Deployment, StatefulSet or Job becomes one Pod per replica, made of its template: podman has no controllers.
- Names of Services become aliases in podman's network: there are no Services.
- A Secret becomes a folder of the host, owned by root and the pod's fsGroup with the declared mode: podman knows no
  fsGroup, and 4.3 takes no Secret that is not optional as a volume.
- An emptyDir or a claim becomes a folder of the host that the pod may write to, as Kubernetes makes it; podman's
  volumes are root's. A projected volume becomes a folder with the same files: podman knows none. So does a ConfigMap,
  of which podman would make a volume that stays.
- Init containers are kept when they have ended: podman 4.3 may want to remove one while it still runs.
- Ports are not named: podman would publish each on the host.
- Probes are run by the test: podman would run those over HTTP with a curl that the images do not have.

All else, the environment, arguments, users, limits, read-only roots and dropped capabilities, is as rendered.
"""

import asyncio
import copy
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import yaml

from deploy.local.stack import ROOT
from tests.containers.images import NoImageError, podman

Manifest = dict[str, Any]

OVERLAY: Final = Path(os.environ.get("PARLEY_OVERLAY", ROOT / "deploy" / "k8s" / "overlays" / "dev"))
NETWORK: Final = "parley-test-kube"
_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
_STOP_SECONDS: Final = "10"
_INIT: Final = "io.podman.annotations.init.container.type"


def rendered() -> list[Manifest]:
    """What kustomize makes of the overlay for a laptop."""
    kubectl = Path(sys.executable).parent / "kubectl"
    done = subprocess.run([kubectl, "kustomize", OVERLAY], check=True, capture_output=True, text=True)
    return [each for each in yaml.safe_load_all(done.stdout) if each]


class Cluster:
    """Pods of `manifests` in a network of their own, with their files in `folder`; `secrets` are folders, by name."""

    def __init__(self, manifests: list[Manifest], folder: Path, secrets: Mapping[str, Path]) -> None:
        self._folder = folder
        self._secrets = secrets
        self._named: dict[tuple[str, str], Manifest] = {
            (each["kind"], each["metadata"]["name"]): each for each in manifests
        }
        self.pods: dict[str, Manifest] = {}
        self.remove()  # what a run that was killed left
        podman("network", "create", NETWORK)

    def remove(self) -> None:
        """All pods, and the network."""
        pods = podman("pod", "ls", "--quiet", "--no-trunc", "--filter", f"network={NETWORK}").split()
        if pods:
            podman("pod", "rm", "--force", "--time", _STOP_SECONDS, *pods, seconds=120)
        podman("network", "rm", "--force", NETWORK)

    def template(self, kind: str, name: str) -> Manifest:
        """Of a workload or job: the pod's spec, as it was rendered."""
        spec: Manifest = self._named[kind, name]["spec"]["template"]["spec"]
        return spec

    async def play(self, kind: str, workload: str, name: str) -> None:
        """Run a pod `name` of it; raises `NoImageError` with what podman said."""
        spec = copy.deepcopy(self.template(kind, workload))
        claims = self._named[kind, workload]["spec"].get("volumeClaimTemplates", [])
        mounted = [*spec.get("volumes", []), *({"name": each["metadata"]["name"], "claim": {}} for each in claims)]
        group = spec["securityContext"]["fsGroup"]
        spec["volumes"] = [self._volume(each, name, group) for each in mounted]
        for container in spec["containers"]:
            for left_out in (*_PROBES, "ports"):
                container.pop(left_out, None)
        metadata = {"name": name, "annotations": {_INIT: "always"}}
        self.pods[name] = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        maps = [each for (kind, _), each in self._named.items() if kind == "ConfigMap"]
        file = self._folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump_all([*maps, self.pods[name]]))
        aliases = ",".join(f"alias={each}" for each in self._aliases(workload, name))
        await asyncio.to_thread(podman, "kube", "play", "--network", f"{NETWORK}:{aliases}", str(file), seconds=120)

    def _aliases(self, workload: str, pod: str) -> Iterator[str]:
        for kind, name in self._named:
            if kind == "Service":
                selector = self._named[kind, name]["spec"]["selector"]
                if selector.get("app.kubernetes.io/name") == workload:
                    yield from (name, f"{pod}.{name}")

    def _volume(self, volume: Manifest, pod: str, group: int) -> Manifest:
        folder = self._folder / pod / volume["name"]
        folder.mkdir(parents=True)
        if "secret" in volume:
            secret = volume["secret"]
            for file in self._secrets[secret["secretName"]].iterdir():
                _put(folder / file.name, file.read_bytes(), group, secret.get("defaultMode", 0o644))
        elif "projected" in volume or "configMap" in volume:
            for source in volume.get("projected", {"sources": [volume]})["sources"]:
                for path, data in self._files(source["configMap"]):
                    _put(folder / path, data, group, 0o644)
        else:
            os.chown(folder, -1, group)
            folder.chmod(0o2777)
        return {"name": volume["name"], "hostPath": {"path": str(folder), "type": "Directory"}}

    def _files(self, source: Manifest) -> Iterator[tuple[str, bytes]]:
        if (made := self._secrets.get(source["name"])) is not None:
            data = {each.name: each.read_bytes() for each in made.iterdir()}
        else:
            data = {key: text.encode() for key, text in self._named["ConfigMap", source["name"]]["data"].items()}
        paths = {each["key"]: each["path"] for each in source.get("items", [])}
        return ((paths.get(key, key), each) for key, each in data.items() if not paths or key in paths)

    # --- asking ---------------------------------------------------------------------------------------------------

    def address(self, pod: str) -> str:
        """Of the pod in the network."""
        container = self.container(pod, self.pods[pod]["spec"]["containers"][0]["name"])
        infra = json.loads(podman("inspect", container))[0]["Pod"]
        pods = json.loads(podman("pod", "inspect", infra))
        inspected = json.loads(podman("inspect", pods["InfraContainerID"]))[0]
        return str(inspected["NetworkSettings"]["Networks"][NETWORK]["IPAddress"])

    @staticmethod
    def container(pod: str, name: str) -> str:
        """What podman calls a container of a pod."""
        return f"{pod}-{name}"

    def environment(self, pod: str, container: str) -> dict[str, str]:
        """What the container was started with."""
        found = json.loads(podman("inspect", self.container(pod, container)))[0]["Config"]["Env"]
        return dict(each.split("=", 1) for each in found)

    def declared_environment(self, container: Manifest) -> dict[str, str]:
        """What the manifests say that it has."""
        sources = [each["configMapRef"]["name"] for each in container.get("envFrom", []) if "configMapRef" in each]
        declared = {key: value for name in sources for key, value in self._named["ConfigMap", name]["data"].items()}
        return declared | {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}

    def failed_probes(self, kind: str, workload: str, pod: str) -> list[str]:
        """Those of all containers' probes that do not succeed now, run as declared."""
        address = self.address(pod)
        return [
            f"{container['name']}: {probe}: {why}"
            for container in self.template(kind, workload)["containers"]
            for probe in _PROBES
            if probe in container
            for why in [self._fails(container[probe], container, pod, address)]
            if why
        ]

    def _fails(self, probe: Manifest, container: Manifest, pod: str, address: str) -> str:
        ports = {each["name"]: each["containerPort"] for each in container["ports"]}
        seconds = probe.get("timeoutSeconds", 1)
        try:
            if "httpGet" in probe:
                port = ports[probe["httpGet"]["port"]]
                urlopen(f"http://{address}:{port}{probe['httpGet']['path']}", timeout=seconds).close()
            elif "tcpSocket" in probe:
                socket.create_connection((address, ports[probe["tcpSocket"]["port"]]), timeout=seconds).close()
            else:
                podman("exec", self.container(pod, container["name"]), *probe["exec"]["command"], seconds=seconds)
        except (OSError, NoImageError, subprocess.TimeoutExpired) as error:
            return str(error)
        return ""


def _put(file: Path, data: bytes, group: int, mode: int) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    shutil.chown(file, group=group)
    file.chmod(mode)
