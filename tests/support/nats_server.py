"""A nats-server for tests that do harm to it, and a connection to it as every process has one."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from deploy.local import programs
from deploy.local.ports import HOST, Ports, is_taken
from deploy.local.process import Child
from runtime import bus, nkeys
from runtime.bus import Bus
from runtime.lifecycle import Lifecycle
from runtime.nats_client import NatsClient
from runtime.settings import ServiceSettings
from tests.support.waiting import until
from wire import subjects


class NatsServer(Child):
    """The real one, on a free port, without the rest of a stack; `settings` are lines of its configuration."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self._ports = ports = Ports.free()
        self.port = ports.nats
        self.url = f"nats://{HOST}:{ports.nats}"
        self.monitor_url = f"http://{HOST}:{ports.nats_monitor}"
        self.websocket_url = f"ws://{HOST}:{ports.gateway_1}"
        config = folder / "nats.conf"
        config.write_text(f'websocket {{ host: "{HOST}", port: {ports.gateway_1}, no_tls: true }}\n{settings}')
        command = programs.nats(ports, folder, config)
        self.output: list[str] = []
        super().__init__("nats", command, cwd=folder, environ=os.environ, sink=self._keep)

    def _keep(self, _name: str, line: str) -> None:
        self.output.append(line)

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        await super().start()
        await until(lambda: is_taken(self.port), "nats-server to listen")


@asynccontextmanager
async def nats_server(settings: str = "") -> AsyncIterator[NatsServer]:
    """A server while the block runs, with further `settings` in nats-server's own words."""
    with tempfile.TemporaryDirectory(prefix="parley-nats-") as folder:
        server = NatsServer(Path(folder), settings)
        await server.start()
        try:
            yield server
        finally:
            await server.kill()


@asynccontextmanager
async def nats_user(url: str, seed: Path) -> AsyncIterator[NatsClient]:
    """A connection of the user in whose folder this `seed` is, while the block runs."""
    key, user = nkeys.read("seed", str(seed)), seed.parent.name
    client = NatsClient(lambda _: None, key.public)

    async def on_error(_error: Exception) -> None:
        """Whoever calls is told by an exception."""

    try:
        await client.connect(
            url.split(","),
            signature_cb=key.sign,
            inbox_prefix=subjects.inbox(user),
            connect_timeout=1,
            allow_reconnect=False,
            error_cb=on_error,
        )
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def connected(*urls: str, seed: Path | None = None, lifecycle: Lifecycle | None = None) -> AsyncIterator[Bus]:
    """A connection as every process has one, while the block runs; of the user in whose folder this `seed` is."""

    class Settings(ServiceSettings, frozen=True, kw_only=True):
        nats_user: ClassVar[str] = "" if seed is None else seed.parent.name

    settings = Settings(nats_url=urls, admin_port=1, instance="test", nats_nkey_file=str(seed or ""))
    async with bus.connect(settings, lifecycle or Lifecycle()) as connection:
        yield connection
