"""Three nats-servers as a cluster, each on a host of its own, with the permissions that NATS has everywhere."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from deploy.local import programs
from deploy.local.ports import Ports
from deploy.local.process import Child
from deploy.local.secrets import nats_permissions
from runtime import credentials
from runtime.nats_client import NatsClient
from tests.support.nats_server import nats_user
from tests.support.network import Network
from tests.support.waiting import until

SIZE: Final = 3
_CLIENTS: Final = 4222
_ROUTES: Final = 6222
_START_SECONDS: Final = 60
_SUBJECT: Final = "_INBOX.admin.hello"
_TRIES: Final = 5


class NatsCluster:
    """`servers` are its processes, and `network` their hosts, in the same order."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.urls = [f"nats://{address}:{_CLIENTS}" for address in network.addresses]
        self.output: list[str] = []
        self.credentials = folder / "credentials"
        credentials.make(self.credentials)
        self.servers = [self._server(host, folder / str(host)) for host in range(SIZE)]

    async def leader(self, *, but: int | None = None) -> int:
        """Which server leads the stream of messages, as the others than `but` see it, and not that one.

        Raises `AssertionError` if none does in time.
        """
        found: list[int] = []
        urls = [url for host, url in enumerate(self.urls) if host != but]

        async def is_found() -> bool:
            with suppress(NatsError, OSError, TimeoutError):
                async with self._connected(*urls) as connection:
                    info = await connection.jetstream().stream_info("MESSAGES")
                if info.cluster is not None and info.cluster.leader not in {None, "", f"n{but}"}:
                    found.append(int(str(info.cluster.leader).removeprefix("n")))
            return bool(found)

        await until(is_found, "a leader", seconds=_START_SECONDS)
        return found[-1]

    async def is_whole(self) -> bool:
        """Whether what is said to any of the servers is heard at each."""
        heard: list[int] = []
        async with AsyncExitStack() as exits:
            connections = []
            for url in self.urls:
                try:
                    connections.append(await exits.enter_async_context(self._connected(url)))
                except (NatsError, OSError, TimeoutError):
                    return False

            async def hear(_message: Msg) -> None:
                heard.append(1)

            for each in connections:
                await each.subscribe(_SUBJECT, cb=hear)
                await each.flush()
            for _ in range(_TRIES):
                heard.clear()
                for each in connections:
                    await each.publish(_SUBJECT, b"")
                    await each.flush()
                await asyncio.sleep(0.1)
                if len(heard) == SIZE * SIZE:
                    return True
        return False

    def _connected(self, *urls: str) -> AbstractAsyncContextManager[NatsClient]:
        return nats_user(",".join(urls), self.credentials / "admin" / credentials.SEED)

    def _server(self, host: int, folder: Path) -> Child:
        folder.mkdir()
        addresses = self.network.addresses
        config = folder / "nats.conf"
        config.write_text(
            f'server_name: n{host}\nhost: "{addresses[host]}"\nport: {_CLIENTS}\n'
            f'jetstream {{ store_dir: "{folder}" }}\n'
            f'cluster {{ name: parley, host: "{addresses[host]}", port: {_ROUTES}, '
            f"routes: [{', '.join(f'nats://{each}:{_ROUTES}' for each in addresses)}] }}\n"
            f"{nats_permissions(self.credentials)}"
        )
        command = self.network.on(host, [*programs.nats(Ports(), folder, config)[:1], "-c", str(config)])
        return Child(f"nats-{host}", command, cwd=folder, environ=os.environ, sink=self._keep)

    def _keep(self, name: str, line: str) -> None:
        self.output.append(f"{name} | {line}")


@asynccontextmanager
async def nats_cluster(folder: Path) -> AsyncIterator[NatsCluster]:
    """A cluster whose servers hear each other, while the block runs."""
    async with Network(SIZE) as network:
        cluster = NatsCluster(network, folder)
        try:
            for each in cluster.servers:
                await each.start()
            await until(cluster.is_whole, "the servers to hear each other", seconds=_START_SECONDS)
            yield cluster
        finally:
            for each in cluster.servers:
                await each.kill()
