"""A stand-in for NATS's exporter for Prometheus, which is written in Go, where that cannot be had. For tests alone.

What it exports has the names, labels and meaning of nats-io/prometheus-nats-exporter 0.17.3 with the flags
`-varz -routez -connz -healthz -jsz=all` (collector/collector.go, connz.go, healthz.go, jsz.go there), read from the
monitoring port of a real nats-server; later versions add to these names. As there, nearly everything is a gauge, and
of a server that has fallen silent the last of varz and routez is told for ever: only healthz shows it.

`python -m tests.support.nats_exporter -p 7777 http://127.0.0.1:8222`, or as a file: it needs nothing of ours.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

Sample = tuple[str, dict[str, str], float]

_MADE_LABELS = {"server_id", "server_name", "version", "domain", "leader", "name", "start", "config_load_time"}
_LEFT_OUT = {
    *("leaf", "trusted_operators_claim", "cluster_tls_timeout", "cluster_cluster_port", "cluster_auth_timeout"),
    *("gateway_port", "gateway_auth_timeout", "gateway_tls_timeout", "gateway_connect_retries"),
}
_SUMMED = ("pending_bytes", "subscriptions", "in_bytes", "out_bytes", "in_msgs", "out_msgs")


def application(monitor: str, server_id: str = "") -> web.Application:
    """An application that answers `/metrics`."""
    last: dict[str, dict[str, Any]] = {}

    async def metrics(_: web.Request) -> web.Response:
        samples = await _samples(monitor, server_id or monitor, last)
        text = "".join(sorted(_line(each) for each in samples))
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    return app


@asynccontextmanager
async def exporter(monitor: str, port: int, *, host: str = "127.0.0.1", server_id: str = "") -> AsyncIterator[str]:
    """The exporter of one server while the block runs; yields its address, without `/metrics`."""
    runner = web.AppRunner(application(monitor, server_id))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def _samples(monitor: str, server_id: str, last: dict[str, dict[str, Any]]) -> list[Sample]:
    own, timeout = {"server_id": server_id}, aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(monitor, timeout=timeout) as http:
        varz = await _ask(http, "/varz")
        last["varz"] = varz or last.get("varz", {})
        last["routez"] = await _ask(http, "/routez") or last.get("routez", {})
        samples = [*_health(await _ask(http, "/healthz"), own)]
        samples += [*_flat("gnatsd_varz", last["varz"], own), *_flat("gnatsd_routez", last["routez"], own)]
        if varz:
            samples += _connections(await _ask(http, "/connz"), own)
            jsz = await _ask(http, "/jsz?consumers=true&config=true&raft=true")
            samples += _jetstream(jsz, {**own, "server_name": varz["server_name"]})
    return samples


async def _ask(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    try:
        async with http.get(path) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError):
        return {}


def _health(answer: Mapping[str, Any], own: dict[str, str]) -> Iterator[Sample]:
    is_well = answer.get("status") == "ok"
    if answer:
        yield "gnatsd_healthz_status", own, 0 if is_well else 1
    yield "gnatsd_healthz_status_value", {**own, "value": answer.get("status", "unreachable")}, 1 if is_well else 0


def _flat(prefix: str, answer: Mapping[str, Any], own: dict[str, str], *path: str) -> Iterator[Sample]:
    for key, value in answer.items():
        name = "_".join(part for part in "_".join((*path, key)).replace("/", "_").split("_") if part)
        if name in _LEFT_OUT or isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield f"{prefix}_{name}", own, value
        elif isinstance(value, dict):
            yield from _flat(prefix, value, own, *path, key)
        elif isinstance(value, str) and key in _MADE_LABELS:
            try:
                yield f"{prefix}_{name}", own, datetime.fromisoformat(value).timestamp() * 1000
            except ValueError:
                yield f"{prefix}_{name}", {**own, "value": value}, 1


def _connections(answer: Mapping[str, Any], own: dict[str, str]) -> Iterator[Sample]:
    for name in ("num_connections", "total", "offset", "limit"):
        yield f"gnatsd_connz_{name}", own, answer.get(name, 0)
    for name in _SUMMED:
        yield f"gnatsd_connz_{name}", own, sum(each.get(name, 0) for each in answer.get("connections") or [])


def _jetstream(answer: Mapping[str, Any], own: dict[str, str]) -> Iterator[Sample]:
    config, meta, server = answer.get("config") or {}, answer.get("meta_cluster"), own["server_name"]
    led = {"meta_leader": meta.get("leader", ""), "cluster": meta.get("name", "")} if meta else {}
    labels = {
        **own,
        "cluster": "",
        "domain": config.get("domain", ""),
        "meta_leader": "",
        **led,
        "is_meta_leader": _is_led(meta, server),
    }
    yield "jetstream_server_jetstream_disabled", labels, int(answer.get("disabled", False))
    yield "jetstream_server_max_memory", labels, config.get("max_memory", 0)
    yield "jetstream_server_max_storage", labels, config.get("max_storage", 0)
    for name, key in (("streams", "streams"), ("consumers", "consumers"), ("messages", "messages")):
        yield f"jetstream_server_total_{name}", labels, answer.get(key, 0)
    yield "jetstream_server_total_message_bytes", labels, answer.get("bytes", 0)
    for account in answer.get("account_details") or []:
        named = {**labels, "account": account.get("name", ""), "account_id": account.get("id", "")}
        for stream in account.get("stream_detail") or []:
            yield from _stream(stream, named, server)


def _stream(stream: Mapping[str, Any], labels: dict[str, str], server: str) -> Iterator[Sample]:
    cluster, state = stream.get("cluster"), stream["state"]
    labels = {
        **labels,
        "stream_name": stream["name"],
        "stream_leader": (cluster or {}).get("leader", ""),
        "is_stream_leader": _is_led(cluster, server),
        "stream_raft_group": stream.get("stream_raft_group", ""),
    }
    yield "jetstream_stream_total_messages", labels, state["messages"]
    yield "jetstream_stream_total_bytes", labels, state["bytes"]
    yield "jetstream_stream_first_seq", labels, state["first_seq"]
    yield "jetstream_stream_last_seq", labels, state["last_seq"]
    yield "jetstream_stream_consumer_count", labels, state["consumer_count"]
    yield "jetstream_stream_subject_count", labels, state.get("num_subjects", 0)
    yield "jetstream_stream_limit_bytes", labels, stream["config"].get("max_bytes", 0)
    for consumer in stream.get("consumer_detail") or []:
        yield from _consumer(consumer, labels, server)


def _consumer(consumer: Mapping[str, Any], labels: dict[str, str], server: str) -> Iterator[Sample]:
    cluster = consumer.get("cluster")
    labels = {
        **labels,
        "consumer_name": consumer["name"],
        "consumer_leader": (cluster or {}).get("leader", ""),
        "is_consumer_leader": _is_led(cluster, server),
        "consumer_desc": (consumer.get("config") or {}).get("description", ""),
    }
    for name in ("num_ack_pending", "num_redelivered", "num_waiting", "num_pending"):
        yield f"jetstream_consumer_{name}", labels, consumer.get(name, 0)
    for place in ("delivered", "ack_floor"):
        for seq in ("consumer_seq", "stream_seq"):
            yield f"jetstream_consumer_{place}_{seq}", labels, consumer[place][seq]


def _is_led(cluster: Mapping[str, Any] | None, server: str) -> str:
    return "true" if cluster is None or cluster.get("leader") == server else "false"


def _line(sample: Sample) -> str:
    name, labels, value = sample
    quoted = ",".join(f"{key}={json.dumps(each, ensure_ascii=False)}" for key, each in labels.items())
    return f"{name}{{{quoted}}} {float(value)!r}\n"


async def _serve(monitor: str, host: str, port: int) -> None:
    async with exporter(monitor, port, host=host):
        await asyncio.Event().wait()


def _main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for prometheus-nats-exporter", allow_abbrev=False)
    parser.add_argument("-a", "-addr", default="0.0.0.0")  # noqa: S104 - as the real one has it
    parser.add_argument("-p", "-port", type=int, default=7777)
    parser.add_argument("url", help="the server's monitoring: http://host:8222")
    # The real one's flags are taken, and all these collectors always run.
    known, _ = parser.parse_known_args()
    asyncio.run(_serve(known.url, known.a, known.p))


if __name__ == "__main__":
    _main()
