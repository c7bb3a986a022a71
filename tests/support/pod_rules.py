"""What every pod of deploy/k8s has to keep to. Each rule says what is wrong, in a line; nothing wrong is no line."""

from collections.abc import Callable, Iterator
from typing import Final

from tests.support.manifests import Manifest

Rule = Callable[[Manifest], Iterator[str]]

USERS: Final = {10001, 999}
"""Ours, and the one of MongoDB's image."""


def _containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def no_token(pod: Manifest) -> Iterator[str]:
    """An account of its own, which has no token in the pod, and no Service's names in the environment."""
    if pod.get("serviceAccountName") in {None, "default"}:
        yield "has no account of its own"
    if pod.get("automountServiceAccountToken") is not False:
        yield "has a token of the API server"
    if pod.get("enableServiceLinks") is not False:
        yield "has variables for each Service"


def no_root(pod: Manifest) -> Iterator[str]:
    """Pod Security's restricted standard: users."""
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True:
        yield "may run as root"
    if context.get("runAsUser") not in USERS or context.get("runAsGroup") != context.get("runAsUser"):
        yield "runs as nobody that is known"
    if context.get("fsGroup") != context.get("runAsGroup"):
        yield "cannot read what mode 0440 lets its group read"
    for each in _containers(pod):
        if each.get("securityContext", {}).keys() & {"runAsUser", "runAsNonRoot", "runAsGroup"}:
            yield f"{each['name']} runs as somebody else"


def no_privileges(pod: Manifest) -> Iterator[str]:
    """Pod Security's restricted standard: what a process may do, and nothing of the node's."""
    if pod.get("securityContext", {}).get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    yield from (f"has the node's {each}" for each in ("hostNetwork", "hostPID", "hostIPC") if pod.get(each))
    for each in _containers(pod):
        context = each.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False:
            yield f"{each['name']} may gain privileges"
        if context.get("privileged"):
            yield f"{each['name']} is privileged"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{each['name']} keeps capabilities"
        yield from (f"{each['name']} has a port of the node" for port in each.get("ports", []) if "hostPort" in port)


def nothing_writable(pod: Manifest) -> Iterator[str]:
    """The root file system is read-only; what is written goes to volumes, and those in the node have a size."""
    for each in _containers(pod):
        if each.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
            yield f"{each['name']} can write to its image"
    allowed = {"emptyDir", "configMap", "secret", "projected"}
    for volume in pod.get("volumes", []):
        if not volume.keys() & allowed:
            yield f"{volume['name']} is a volume of another kind"
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield f"{volume['name']} has no size"
        if "secret" in volume and volume["secret"].get("defaultMode") != 0o440:
            yield f"{volume['name']} is for more than the group"


def bounded(pod: Manifest) -> Iterator[str]:
    """The scheduler knows what it needs; promised memory is there; no CPU limit, which stalls an event loop."""
    for each in _containers(pod):
        resources = each.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        if requests.keys() != {"cpu", "memory"}:
            yield f"{each['name']} does not say what it needs"
        if limits.get("memory") is None or limits.get("memory") != requests.get("memory"):
            yield f"{each['name']} may be promised memory that is not there"
        if "cpu" in limits:
            yield f"{each['name']} is throttled"


RULES: Final[dict[str, Rule]] = {
    each.__name__: each for each in (no_token, no_root, no_privileges, nothing_writable, bounded)
}
