"""What NetworkPolicies let pass: the semantics of the resource, as far as deploy/k8s uses it, without a cluster."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.manifests import Manifest, Manifests, matches


class Peer(NamedTuple):
    """A pod, by its labels and its namespace's name, or somebody outside of the cluster (no labels)."""

    namespace: str
    labels: dict[str, str]


def pod(manifests: Manifests, workload: str) -> Peer:
    """A pod of a workload of ours."""
    return Peer("parley", manifests.labels(workload))


def may(manifests: Manifests, source: Peer, target: Peer, port: str | int) -> bool:
    """Whether a connection is let out of `source`'s pod and into `target`'s. Who is in no policy of ours is free."""
    policies = [each["spec"] for each in manifests.named("NetworkPolicy").values()]
    return _side(policies, "Egress", source, target, port) and _side(policies, "Ingress", target, source, port)


def _side(policies: list[Manifest], way: str, here: Peer, there: Peer, port: str | int) -> bool:
    if here.namespace != "parley":
        return True
    ours = [each for each in policies if way in each["policyTypes"] and matches(each["podSelector"], here.labels)]
    if not ours:
        return True
    key, side = ("egress", "to") if way == "Egress" else ("ingress", "from")
    rules = [rule for each in ours for rule in each.get(key, [])]
    return any(_is_peer(rule.get(side), there) and _is_port(rule.get("ports"), port) for rule in rules)


def _is_peer(peers: list[Manifest] | None, there: Peer) -> bool:
    return peers is None or any(_matches(each, there) for each in peers)


def _matches(peer: Manifest, there: Peer) -> bool:
    if "ipBlock" in peer:
        return there.namespace == "" and peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    names = {"kubernetes.io/metadata.name": there.namespace}
    is_there = (
        matches(peer["namespaceSelector"], names) if "namespaceSelector" in peer else there.namespace == "parley"
    )
    return is_there and matches(peer.get("podSelector", {}), there.labels)


def _is_port(ports: list[Manifest] | None, port: str | int) -> bool:
    return ports is None or any(each["port"] == port for each in ports)


def all_ports(manifests: Manifests) -> Iterator[tuple[str, Any]]:
    """Each workload with each of its ports, by name."""
    for workload in manifests.pods:
        yield from ((workload, port) for port in manifests.ports(workload))
