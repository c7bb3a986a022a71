"""What is in each overlay of deploy/k8s: kinds and names, of ConfigMaps without the hash that kustomize appends."""

from tests.support.manifests import K8S, OVERLAYS

ALL = ("base", *OVERLAYS)
IN_BASE = {
    "Namespace": {"parley"},
    "ServiceAccount": {"gateway", "auth", "history", "setup", "nats", "mongodb"},
    "Deployment": {"gateway", "auth", "history"},
    "StatefulSet": {"nats", "mongodb"},
    "Job": {"setup"},
    "Service": {"gateway", "gateway-admin", "auth-admin", "history-admin", "nats", "nats-headless", "mongodb"},
    "PodDisruptionBudget": {"gateway", "auth", "history", "nats", "mongodb"},
    "HorizontalPodAutoscaler": {"gateway", "auth", "history"},
    "ConfigMap": {
        *("common-config", "gateway-config", "auth-config", "history-config", "setup-config"),
        *("nats-config", "mongodb-scripts"),
    },
}
POLICIES = {
    *("default-deny", "entry-to-gateway", "entry-to-acme-solver", "prometheus-to-services", "prometheus-to-nats"),
    *("services-to-nats", "nats"),
    *("stores-to-mongodb", "mongodb", "all-to-dns", "auth-to-issuers", "services-to-collector"),
}
DASHBOARDS = {f"dashboard-{path.stem}" for path in (K8S.parent / "observability" / "dashboards").glob("*.json")}
MONITORING = {"PodMonitor": {"parley-services", "parley-nats"}, "PrometheusRule": {"parley"}}
IN_OVERLAYS: dict[str, dict[str, set[str]]] = {
    "base": IN_BASE,
    "dev": {**IN_BASE, "HorizontalPodAutoscaler": set(), "NetworkPolicy": POLICIES},
    "production": {
        **IN_BASE,
        **MONITORING,
        "ConfigMap": IN_BASE["ConfigMap"] | DASHBOARDS,
        "NetworkPolicy": POLICIES,
        "Gateway": {"parley"},
        "HTTPRoute": {"gateway", "gateway-redirect"},
        "Certificate": {"gateway-tls", "nats-ca", "nats-server", "nats-client"},
        "Issuer": {"nats-self-signed", "nats-ca"},
    },
    "loadtest": {
        **IN_BASE,
        **MONITORING,
        "ConfigMap": IN_BASE["ConfigMap"] | DASHBOARDS,
        "HorizontalPodAutoscaler": set(),
        "Service": IN_BASE["Service"] | {"loadtest"},
        "NetworkPolicy": POLICIES | {"loadtest", "loadtest-to-gateway"},
        "ServiceAccount": IN_BASE["ServiceAccount"] | {"loadtest"},
    },
}
