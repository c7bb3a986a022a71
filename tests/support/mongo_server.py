"""A server of MongoDB's protocol for tests of what talks to it, without the rest of a stack."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local import mongo, programs
from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from tests.support.waiting import until


class MongoServer(Child):
    """The embedded one, on a free port."""

    def __init__(self, folder: Path) -> None:
        self._ports = ports = Ports.free()
        self.url = f"mongodb://{HOST}:{ports.mongo}/?directConnection=true"
        self.output: list[str] = []
        self._port = ports.mongo
        self._folder = folder
        super().__init__(
            "mongo", programs.mongo(ports, folder, asks=False), cwd=folder, environ=os.environ, sink=self._keep
        )

    def _keep(self, _name: str, line: str) -> None:
        self.output.append(line)

    async def start(self) -> None:
        """Start it, and wait until it writes."""
        await super().start()
        await until(lambda: mongo.writes(self.url, HOST, self._port, self._folder), "mongo to write", every=0.1)


@asynccontextmanager
async def mongo_server() -> AsyncIterator[MongoServer]:
    """A server while the block runs."""
    with tempfile.TemporaryDirectory(prefix="parley-mongo-") as folder:
        server = MongoServer(Path(folder))
        await server.start()
        try:
            yield server
        finally:
            await server.kill()
