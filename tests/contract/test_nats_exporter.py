"""The stand-in for NATS's exporter tells what a real nats-server says."""

import aiohttp
import nats
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import Ports
from tests.support.nats_exporter import exporter
from tests.support.nats_server import nats_server
from tests.support.waiting import until

Samples = dict[str, list[tuple[dict[str, str], float]]]


async def _read(url: str) -> Samples:
    samples: Samples = {}
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as response:
        for family in text_string_to_metric_families(await response.text()):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


async def test_it_tells_of_streams_and_of_a_server_that_has_gone() -> None:
    """Counts are those of the server; once it is dead, health says so, and nothing is told of streams any more."""
    ports = Ports.free()
    async with nats_server() as server, exporter(server.monitor_url, ports.auth_admin, server_id="nats-0") as url:
        client = await nats.connect(server.url, allow_reconnect=False)
        jetstream = client.jetstream()
        await jetstream.add_stream(name="KEPT", subjects=["kept.*"], max_bytes=1 << 20)
        await jetstream.subscribe("kept.*", durable="reader", manual_ack=True)
        for number in range(3):
            await jetstream.publish("kept.one", b"%d" % number)

        async def delivered() -> bool:
            return (await _read(url))["jetstream_consumer_num_ack_pending"][0][1] == 3

        await until(delivered, "the consumer to have been sent all")
        alive = await _read(url)
        await client.close()
        await server.kill()
        dead = await _read(url)
    labels, messages = alive["jetstream_stream_total_messages"][0]
    assert (labels["stream_name"], labels["server_id"], messages) == ("KEPT", "nats-0", 3)
    assert alive["jetstream_stream_limit_bytes"][0][1] == 1 << 20
    labels, pending = alive["jetstream_consumer_num_ack_pending"][0]
    assert (labels["consumer_name"], labels["is_consumer_leader"], pending) == ("reader", "true", 3)
    assert alive["gnatsd_varz_connections"] == [({"server_id": "nats-0"}, 1)]
    assert alive["gnatsd_healthz_status"] == [({"server_id": "nats-0"}, 0)]
    assert alive["gnatsd_varz_version"][0][0].keys() == {"server_id", "value"}
    assert "jetstream_stream_total_messages" not in dead
    assert dead["gnatsd_varz_connections"] == alive["gnatsd_varz_connections"], "as the real one has it"
    assert dead["gnatsd_healthz_status_value"] == [({"server_id": "nats-0", "value": "unreachable"}, 0)]
