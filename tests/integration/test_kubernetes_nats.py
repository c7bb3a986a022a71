"""NATS as the production overlay has it: three real servers with TLS between them, asked by its own probes.

What the test changes of the rendered files are addresses: ports, which are the same in three pods, names of pods,
which resolve in a cluster alone, and the folders that a pod has to itself.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import pytest

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from runtime import bus, credentials
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.settings import ServiceSettings, load
from tests.support.certificates import Authority
from tests.support.manifests import overlay
from tests.support.waiting import until
from wire import streams

SERVERS = 3
PRODUCTION = overlay("production")


class Admin(ServiceSettings, frozen=True, kw_only=True):
    """A process that proves to be the admin step."""

    nats_user: ClassVar[str] = "admin"


class Cluster:
    """Three servers of the rendered configuration, in `folder`; `authority` is what cert-manager would be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder, "ca")
        self.client = self.authority.sign("parley-service")
        credentials.make(folder / "secrets")
        self.ports = [Ports.free() for _ in range(SERVERS)]
        certificate = self.authority.sign("nats", HOST)
        self.output: list[str] = []
        self.servers = [self._server(number, certificate) for number in range(SERVERS)]

    def _server(self, number: int, certificate: tuple[Path, Path]) -> Child:
        folder, ports = self.folder / f"nats-{number}", self.ports[number]
        (folder / "nats").mkdir(parents=True)
        changes = {
            "port: 4222\n": f"host: {HOST}\nport: {ports.nats}\n",
            "http_port: 8222\n": f'http: "{HOST}:{ports.nats_monitor}"\n',
            "port: 6222\n": f"host: {HOST}\n    port: {ports.gateway_1}\n",
            "/run/nats/": f"{folder}/",
            "store_dir: /data\n": f"store_dir: {folder}/data\n",
            "/etc/nats-tls/tls.crt": str(certificate[0]),
            "/etc/nats-tls/tls.key": str(certificate[1]),
            "/etc/nats-tls/ca.crt": str(self.authority.file),
        }
        changes |= {f"nats-{i}.nats-headless:6222": f"{HOST}:{each.gateway_1}" for i, each in enumerate(self.ports)}
        for name, text in PRODUCTION.config["nats-config"].items():
            for old, new in changes.items():
                text = text.replace(old, new)  # noqa: PLW2901
            (folder / name).write_text(text)
        (folder / credentials.PUBLIC_KEYS).write_bytes(
            (self.folder / "secrets" / credentials.PUBLIC_KEYS).read_bytes()
        )
        given = {each["name"]: each.get("value", f"nats-{number}") for each in PRODUCTION.container("nats")["env"]}
        command = [str(Path(sys.executable).with_name("nats-server")), "--config", str(folder / "nats.conf")]
        environ = {**os.environ, **given}
        return Child(f"nats-{number}", command, cwd=folder, environ=environ, sink=self._keep)

    def _keep(self, name: str, line: str) -> None:
        self.output.append(f"{name} | {line}")

    async def ask(self, number: int, path: str) -> tuple[int, Any]:
        """What its monitoring port answers."""
        url = f"http://{HOST}:{self.ports[number].nats_monitor}{path}"
        try:
            async with aiohttp.ClientSession() as http, http.get(url, timeout=aiohttp.ClientTimeout(5)) as reply:
                return reply.status, await reply.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            return 0, None

    def settings(self, workload: str, **less: str) -> ServiceSettings:
        """Those of the rendered environment, with the files where they are here. A field in `less` is as said."""
        given = PRODUCTION.environment(workload)
        host = given["NATS_URL"].replace("nats:4222", f"{HOST}:{self.ports[0].nats}")
        files = dict(zip(("ca.crt", "tls.crt", "tls.key"), (self.authority.file, *self.client), strict=True))
        names = ("NATS_CA_FILE", "NATS_CERT_FILE", "NATS_KEY_FILE")
        here = {name: str(files[given[name].rpartition("/")[2]]) for name in names}
        seed = str(self.folder / "secrets" / "admin" / credentials.SEED)
        return load(Admin, {"ADMIN_PORT": "1", **here, "NATS_URL": host, "NATS_NKEY_FILE": seed, **less})


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """All three, as soon as the startup probe passes everywhere."""
    made = Cluster(tmp_path_factory.mktemp("nats"))
    path = PRODUCTION.container("nats")["startupProbe"]["httpGet"]["path"]

    async def are_healthy() -> bool:
        return all([(await made.ask(number, path))[0] == 200 for number in range(SERVERS)])

    async with AsyncExitStack() as exits:
        for each in made.servers:
            await each.start()
            exits.push_async_callback(each.kill)
        await until(are_healthy, "the startup probes to pass", seconds=60)
        yield made


async def _connects(settings: ServiceSettings, *, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds), bus.connect(settings, Lifecycle()) as connection:
            return await connection.round_trip(5)
    return False


async def test_the_probes_pass_and_all_servers_are_there(cluster: Cluster) -> None:
    """Each has a route to both others, by TLS, and JetStream counts three."""
    only = PRODUCTION.container("nats")
    for number in range(SERVERS):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert (await cluster.ask(number, only[probe]["httpGet"]["path"]))[0] == 200
        _, routes = await cluster.ask(number, "/routez")
        others = {f"nats-{other}" for other in range(SERVERS)} - {f"nats-{number}"}
        assert {each["remote_name"] for each in routes["routes"]} == others
        _, varz = await cluster.ask(number, "/varz")
        assert varz["cluster"]["tls_required"]
        assert varz["cluster"]["tls_verify"]
        assert varz["tls_verify"]
        assert varz["jetstream"]["config"]["max_storage"] == 90 * 10**9


async def test_a_stream_has_three_copies(cluster: Cluster) -> None:
    """With the settings of the pods a process gets in, and what is stored is on all three."""

    async def is_copied(connection: Bus) -> bool:
        info = await connection.jetstream.stream_info(streams.CONTROL)
        copies = info.cluster.replicas or [] if info.cluster is not None else []
        return [each.current for each in copies] == [True] * (SERVERS - 1)

    replicas = int(PRODUCTION.environment("setup")["MESSAGES_REPLICAS"])
    async with bus.connect(cluster.settings("setup"), Lifecycle()) as connection:
        await connection.jetstream.add_stream(streams.control(replicas=replicas))
        await until(lambda: is_copied(connection), "both copies to be current", seconds=30)


async def test_whoever_has_no_certificate_stays_out(cluster: Cluster) -> None:
    """A key alone is not enough, nor is a certificate of somebody else's."""
    assert not await _connects(cluster.settings("gateway", NATS_CERT_FILE="", NATS_KEY_FILE=""), seconds=3)
    other = Authority(cluster.folder, "other").sign("stranger")
    files = {"NATS_CERT_FILE": str(other[0]), "NATS_KEY_FILE": str(other[1])}
    assert not await _connects(cluster.settings("gateway", **files), seconds=3)
    assert await _connects(cluster.settings("gateway"), seconds=20)
