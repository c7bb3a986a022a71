"""The stack: what runs, with which settings, in which order, and when it is ready."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Self

import aiohttp

from deploy.local import folder, process, programs, readiness
from deploy.local.gateways import places
from deploy.local.own_mongo import OwnMongo
from deploy.local.ports import HOST, Ports, is_taken
from deploy.local.process import Child, Sink, StackError
from deploy.local.secrets import Secrets
from deploy.local.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
GATEWAYS = ("gateway-1", "gateway-2")

_SETTLE_SECONDS = 10.0


class Stack:
    """Used as a context manager: ready inside the block, nothing left after it; the data in `data` is kept.

    `nats_url` and `mongo_url` point it at servers that run elsewhere, `credentials` at a folder with the secrets for
    them; for its own servers it makes secrets. `environ` overrides settings of all services. `gateways`: how many.
    """

    def __init__(
        self,
        data: Path,
        ports: Ports,
        *,
        sink: Sink,
        nats_url: str = "",
        mongo_url: str = "",
        credentials: Path | None = None,
        environ: Mapping[str, str] | None = None,
        gateways: int = len(GATEWAYS),
    ) -> None:
        """Raises `OSError` when there are no ports for that many gateways."""
        self.data = data.absolute()
        self.ports = ports
        self.gateways = places(ports, gateways)
        self.nats_url = nats_url or f"nats://{HOST}:{ports.nats}"
        self.mongo_url = mongo_url or f"mongodb://{HOST}:{ports.mongo}/?directConnection=true"
        self.signing_keys = self.data / "signing-keys"
        self.secrets = Secrets(self.data, credentials, own_nats=not nats_url, own_mongo=not mongo_url)
        self.children: dict[str, Child] = {}
        self._sink = sink
        self._environ = {**os.environ, **(environ or {})}
        self._overrides = dict(environ or {})
        self._ready_urls: dict[str, str] = {}
        self._mongo = OwnMongo(self.mongo_url, ports, self.data / "mongo", self.secrets)
        self._held: BinaryIO | None = None
        if not nats_url:
            command = programs.nats(ports, self.data / "nats", self.secrets.nats_config)
            self._add("nats", command, self._environ, f"http://{HOST}:{ports.nats_monitor}/healthz")
        if not mongo_url:
            self._add("mongo", programs.mongo(ports, self._mongo.folder, asks=True), self._environ)
        self._add_services()

    @property
    def gateway_urls(self) -> list[str]:
        """Where clients connect."""
        return [f"http://{HOST}:{each.port}" for each in self.gateways]

    @property
    def metrics_urls(self) -> list[str]:
        """Where each gateway says what it does."""
        return [f"{self.admin_url(each.name)}/metrics" for each in self.gateways]

    def mongo_url_of(self, user: str) -> str:
        """Of the database, for one of its users (auth, history, admin, root); their password is in it."""
        return self.secrets.mongo_url(self.mongo_url, user)

    def admin_url(self, name: str) -> str:
        """The admin port of a service."""
        return self._ready_urls[name].removesuffix("/readyz")

    async def __aenter__(self) -> Self:
        """Start; raises `StackError`, and then nothing is left running."""
        self._check_ports()
        self._held = folder.hold(self.data)
        try:
            await self._start()
        except BaseException as error:
            await self._stop()
            if isinstance(error, OSError):
                raise StackError(str(error) or type(error).__name__) from None
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, in reverse order."""
        await self._stop()

    async def ready(self, *names: str) -> None:
        """Wait until these are ready; raises `StackError` as soon as one has ended, or when it takes too long."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
            await asyncio.gather(*(self._ready(http, name) for name in names))

    async def setup(self, **environ: str) -> None:
        """Run the admin step (again), with further settings; raises `StackError` when it does not work."""
        await self._run("setup", "services.history", "setup", environ={**self.environment("setup"), **environ})

    async def any_ended(self) -> str:
        """Wait until one of the processes ends; returns how, in one line."""
        tasks = [asyncio.create_task(each.ended()) for each in self.children.values()]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return next(iter(done)).result()

    def environment(self, name: str) -> dict[str, str]:
        """The settings of a service, as the environment it is started with."""
        return {
            **self._environ,
            **SETTINGS,
            "NATS_URL": self.nats_url,
            "INSTANCE": name,
            "SIGNING_KEYS_DIR": str(self.signing_keys),
            **self.secrets.environment(name, self.mongo_url),
            **self._overrides,
        }

    # --- what runs --------------------------------------------------------------------------------------------------

    def _add_services(self) -> None:
        ports = self.ports
        self._add_service("auth", "auth", ports.auth_admin)
        self._add_service("history", "history", ports.history_admin)
        for each in self.gateways:
            self._add_service(each.name, "gateway", each.admin_port, PORT=str(each.port))

    def _add_service(self, name: str, service: str, admin_port: int, **environ: str) -> None:
        environment = {**self.environment(name), "ADMIN_PORT": str(admin_port), **environ}
        command = [sys.executable, "-m", f"services.{service}"]
        self._add(name, command, environment, f"http://{HOST}:{admin_port}/readyz")

    def _add(self, name: str, command: list[str], environ: Mapping[str, str], ready_url: str = "") -> None:
        self.children[name] = self._child(name, command, environ)
        self._ready_urls[name] = ready_url

    def _child(self, name: str, command: list[str], environ: Mapping[str, str]) -> Child:
        return Child(name, command, cwd=ROOT, environ=environ, sink=self._sink)

    def _tiers(self) -> list[list[str]]:
        servers: list[str] = [name for name in ("nats", "mongo") if name in self.children]
        return [servers, ["auth", "history"], [each.name for each in self.gateways]]

    # --- steps ------------------------------------------------------------------------------------------------------

    def _check_ports(self) -> None:
        outside = {"nats": ("nats", "nats_monitor"), "mongo": ("mongo",)}
        skipped = {port for name, ports in outside.items() if name not in self.children for port in ports}
        needed = {
            name.replace("_", "-"): port
            for name, port in asdict(self.ports).items()
            if name not in skipped and not name.startswith("gateway")
        }
        needed |= {each.name: each.port for each in self.gateways}
        needed |= {f"{each.name}-admin": each.admin_port for each in self.gateways}
        for name, port in needed.items():
            if is_taken(port):
                raise StackError(f"port {port} ({name}) is taken")

    async def _start(self) -> None:
        await self._make_secrets()
        servers, *services = self._tiers()
        await self._start_tier(servers)
        await self.setup()
        for tier in services:
            await self._start_tier(tier)

    async def _start_tier(self, names: Sequence[str]) -> None:
        for name in names:
            await self.children[name].start()
        await self.ready(*names)

    async def _make_secrets(self) -> None:
        made = [self._run("credentials", "runtime.credentials", str(self.secrets.folder))]
        if not any(self.signing_keys.glob("*.pem")):
            made.append(self._run("rotate", "services.auth", "rotate", "--dir", str(self.signing_keys)))
        await asyncio.gather(*made)
        self.secrets.write_config()
        if "mongo" in self.children:
            self._mongo.make_folder()
            if not self._mongo.has_users:
                await self._make_mongo_users()

    async def _make_mongo_users(self) -> None:
        # In a server that lets anybody in, for as long as this takes.
        open_to_all = self._child("mongo", programs.mongo(self.ports, self._mongo.folder, asks=False), self._environ)
        asking, self.children["mongo"] = self.children["mongo"], open_to_all
        await open_to_all.start()
        await self.ready("mongo")
        await self._mongo.make_users()
        await open_to_all.kill()  # it keeps what it has acknowledged, and takes its time to end
        self.children["mongo"] = asking

    async def _run(self, name: str, *module: str, environ: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", *module]
        await process.run(name, command, cwd=ROOT, environ=environ or self._environ, sink=self._sink)

    async def _ready(self, http: aiohttp.ClientSession, name: str) -> None:
        await readiness.wait(self.children[name], lambda: self._is_ready(http, name), lambda: self._how_ended(name))

    async def _is_ready(self, http: aiohttp.ClientSession, name: str) -> bool:
        return await (self._mongo.is_ready() if name == "mongo" else readiness.answers(http, self._ready_urls[name]))

    async def _how_ended(self, name: str) -> str:
        how = await self.children[name].ended()
        return self._mongo.explained(how) if name == "mongo" else how

    async def _stop(self) -> None:
        try:
            await self._let_mongo_settle()
            for tier in reversed(self._tiers()):
                await asyncio.gather(*(self.children[name].stop() for name in tier))
        finally:
            if self._held is not None:
                self._held.close()

    async def _let_mongo_settle(self) -> None:
        # Ended while it makes its tables, it would leave a database that refuses every write.
        child = self.children.get("mongo")
        if child is None or not child.is_running or self._mongo.has_written:
            return
        child.send_signal(signal.SIGCONT)
        with suppress(StackError, TimeoutError):
            async with asyncio.timeout(_SETTLE_SECONDS):
                await self.ready("mongo")
