"""What is exported by programs that are not ours, with the labels of each metric. Listed is what may be used.

No name is here that its program does not export by its own source:

- prometheus-nats-exporter v0.17.3, with `-varz -routez -connz -healthz -jsz=all`
  (https://github.com/nats-io/prometheus-nats-exporter, `collector/`). `gnatsd_varz_*` and `gnatsd_routez_*` are
  whatever numbers nats-server 2.12 and later answer there (`objectToMetrics` in collector.go). All are gauges, those
  that only rise too. `gnatsd_healthz_status` is 0 when all is well.
- cert-manager 1.x (https://github.com/cert-manager/cert-manager, `pkg/metrics/metrics.go`).
- HAProxy 2.6 and later (https://github.com/haproxy/haproxy, `addons/promex/` and the fields of `src/stats*.c`).
"""

from collections.abc import Mapping
from typing import Final

_SERVER: Final = frozenset({"server_id"})
_JETSTREAM: Final = _SERVER | {"server_name", "cluster", "domain", "meta_leader", "is_meta_leader"}
_STREAM: Final = _JETSTREAM | {
    "account",
    "account_id",
    "stream_name",
    "stream_leader",
    "is_stream_leader",
    "stream_raft_group",
}
_CONSUMER: Final = _STREAM | {"consumer_name", "consumer_leader", "is_consumer_leader", "consumer_desc"}

_VARZ: Final = """
    connections total_connections max_connections subscriptions routes remotes leafnodes mem cpu cores gomaxprocs
    gomemlimit in_msgs in_bytes out_msgs out_bytes slow_consumers stale_connections max_payload max_pending start
    slow_consumer_stats_clients slow_consumer_stats_routes
    jetstream_config_max_storage jetstream_config_max_memory jetstream_stats_storage jetstream_stats_memory
    jetstream_stats_reserved_storage jetstream_stats_reserved_memory jetstream_stats_accounts
    jetstream_stats_ha_assets jetstream_stats_api_total jetstream_stats_api_errors jetstream_meta_cluster_size
"""
_CONNZ: Final = "num_connections total pending_bytes subscriptions in_bytes out_bytes in_msgs out_msgs"
_JETSTREAM_SERVER: Final = """
    jetstream_disabled total_streams total_consumers total_messages total_message_bytes max_memory max_storage
"""
_JETSTREAM_STREAM: Final = """
    total_messages total_bytes limit_bytes first_seq last_seq consumer_count subject_count
"""
_JETSTREAM_CONSUMER: Final = """
    delivered_consumer_seq delivered_stream_seq num_ack_pending num_redelivered num_waiting num_pending
    ack_floor_stream_seq ack_floor_consumer_seq
"""
_CERTIFICATE: Final = frozenset({"name", "namespace", "issuer_name", "issuer_kind", "issuer_group"})
_FRONTEND: Final = frozenset({"proxy"})
_HAPROXY_SERVER: Final = frozenset({"proxy", "server"})

OF_ANY_TARGET: Final[Mapping[str, frozenset[str]]] = {
    # Prometheus makes these itself, for each target: https://prometheus.io/docs/concepts/jobs_instances/
    "up": frozenset(),
    "scrape_duration_seconds": frozenset(),
    "scrape_samples_scraped": frozenset(),
    # ... and these: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
    "ALERTS": frozenset({"alertname", "alertstate", "severity", "slo"}),
    "ALERTS_FOR_STATE": frozenset({"alertname", "severity", "slo"}),
}


def _named(prefix: str, names: str, labels: frozenset[str]) -> dict[str, frozenset[str]]:
    return {f"{prefix}_{name}": labels for name in names.split()}


EXPORTED: Final[Mapping[str, frozenset[str]]] = {
    **_named("gnatsd_varz", _VARZ, _SERVER),
    **_named("gnatsd_varz", "server_name version", _SERVER | {"value"}),
    **_named("gnatsd_routez", "num_routes", _SERVER),
    **_named("gnatsd_connz", _CONNZ, _SERVER),
    **_named("gnatsd_healthz", "status", _SERVER),
    **_named("gnatsd_healthz", "status_value", _SERVER | {"value"}),
    **_named("jetstream_server", _JETSTREAM_SERVER, _JETSTREAM),
    **_named("jetstream_stream", _JETSTREAM_STREAM, _STREAM),
    **_named("jetstream_consumer", _JETSTREAM_CONSUMER, _CONSUMER),
    **_named("certmanager_certificate", "expiration_timestamp_seconds", _CERTIFICATE),
    **_named("certmanager_certificate", "ready_status", _CERTIFICATE | {"condition"}),
    **_named("haproxy_frontend", "current_sessions limit_sessions http_requests_total", _FRONTEND),
    **_named("haproxy_frontend", "http_responses_total", _FRONTEND | {"code"}),
    **_named("haproxy_frontend", "status", _FRONTEND | {"state"}),
    **_named("haproxy_backend", "current_sessions active_servers connection_errors_total", _FRONTEND),
    **_named("haproxy_backend", "status", _FRONTEND | {"state"}),
    **_named("haproxy_backend", "http_responses_total", _FRONTEND | {"code"}),
    **_named("haproxy_server", "current_sessions connection_errors_total", _HAPROXY_SERVER),
    **_named("haproxy_server", "status check_status", _HAPROXY_SERVER | {"state"}),
}
