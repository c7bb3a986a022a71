"""Stacks for tests, and what tests ask of them."""

import asyncio
import itertools
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT, Stack
from deploy.local.unlimited import UNLIMITED
from runtime.bus import Bus
from runtime.nats_client import NatsClient
from runtime.settings import load
from services.history import database
from services.history.notification_store import NotificationStore
from services.history.settings import SetupSettings
from services.history.setup import Setup
from services.history.store import MessageStore
from tests.support import first_start, minted
from tests.support.nats_server import connected, nats_user

_names = itertools.count(1)


def unique(prefix: str) -> str:
    """A name that no other test uses."""
    return f"{prefix}-{next(_names)}"


class TestStack(Stack):
    """A stack on free ports, without limits, with its output kept and its tokens minted.

    `environ` overrides settings, the lifted limits among them ("": as it is by default); `own_environ` those of
    single services, by their names.
    """

    __test__ = False

    def __init__(
        self,
        data: Path,
        *,
        ports: Ports | None = None,
        environ: Mapping[str, str] | None = None,
        own_environ: Mapping[str, Mapping[str, str]] | None = None,
        **more: Any,
    ) -> None:
        self.output: list[str] = []
        self._own_environ = own_environ or {}
        environ = {**UNLIMITED, **(environ or {})}
        super().__init__(data, ports or Ports.free(), sink=self._keep, environ=environ, **more)
        self._tokens: list[str] | None = None
        self._as_made: dict[str, Child] = {}

    def environment(self, name: str) -> dict[str, str]:
        """See `Stack`."""
        return {**super().environment(name), **self._own_environ.get(name, {})}

    async def _start(self) -> None:
        """As `Stack`, for less: the admin step within this process, and all services at once.

        They wait for one another by themselves; a process and its imports are a fifth of what a stack costs.
        `test_setup.py`, `test_make_run.py` and every `setup` of a test run the step as a process.
        """
        await self._make_secrets()
        servers, *services = self._tiers()
        await self._start_tier(servers)
        await self._set_up_here()
        await self._start_tier([name for tier in services for name in tier])

    async def _set_up_here(self) -> None:
        settings = load(SetupSettings, self.environment("setup"))
        with database.connected(settings.database) as mongo:
            await asyncio.wait_for(
                Setup(settings, MessageStore(mongo), NotificationStore(mongo)).run(), settings.setup_seconds
            )

    async def _make_secrets(self) -> None:
        is_first_start = "mongo" in self.children and not (self.data / "mongo").exists()
        if is_first_start:
            first_start.copy_to(self.data)
        await super()._make_secrets()
        if is_first_start:
            first_start.keep(self.data)

    def _keep(self, name: str, line: str) -> None:
        self.output.append(f"{name} | {line}")

    def nats(self, user: str = "admin") -> AbstractAsyncContextManager[NatsClient]:
        """A connection of one of NATS's users, while the block runs."""
        return nats_user(self.nats_url, self.secrets.seed(user))

    def bus(self, user: str) -> AbstractAsyncContextManager[Bus]:
        """The same, as that user's process has it."""
        return connected(self.nats_url, seed=self.secrets.seed(user))

    async def kill(self) -> None:
        """End all of it at once: to end well takes seconds, and is for whoever needs the data."""
        await asyncio.gather(*(each.kill() for each in self.children.values()))

    async def start_anew(self, name: str, **environ: str) -> None:
        """Start a service afresh, whatever has become of it; its settings are the first ones but for these."""
        first = self._as_made.setdefault(name, self.children[name])
        await self.children[name].kill()
        self.children[name] = self._child(name, list(first._command), {**first._environ, **environ})
        await self.children[name].start()
        await self.ready(name)

    async def token(self) -> str:
        """A token of a user that nobody else has."""
        if self._tokens is None:
            self._tokens = (await minted.tokens(self.signing_keys, self.mint))[::-1]
        elif not self._tokens:
            self._tokens = (await self.mint(minted.USERS))[::-1]
        return self._tokens.pop()

    async def mint(self, users: int, *, seconds: int = 3600) -> list[str]:
        """Tokens of load-1, load-2, ... that last for `seconds`, by the command that operators use."""
        command = [sys.executable, "-m", "services.auth", "mint", "--users", str(users), "--seconds", str(seconds)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=self.environment("auth"), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().split()

    async def metric(self, service: str, name: str, **labels: str) -> float:
        """See `metric_at`."""
        return await metric_at(self.admin_url(service), name, **labels)

    async def is_ready(self, service: str) -> bool:
        """See `is_ready_at`."""
        return await is_ready_at(self.admin_url(service))

    async def nats_subscriptions(self, service: str) -> list[str]:
        """The subjects that a service is subscribed to, as nats-server's monitoring tells."""
        connections = await self._nats_connections(service)
        return [each["subject"] for connection in connections for each in connection["subscriptions_list_detail"]]

    async def nats_messages_to(self, service: str, subject: str) -> int:
        """How many messages of a subject nats-server has sent to a service."""
        connections = await self._nats_connections(service)
        subscriptions = [each for connection in connections for each in connection["subscriptions_list_detail"]]
        return sum(each["msgs"] for each in subscriptions if each["subject"] == subject)

    async def _nats_connections(self, service: str) -> list[dict[str, Any]]:
        url = f"http://{HOST}:{self.ports.nats_monitor}/connz?subs=detail"
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return [each for each in (await response.json())["connections"] if each["name"] == service]


async def metric_at(admin: str, name: str, **labels: str) -> float:
    """The sum of the samples of `name` whose labels include `labels`, read from /metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{admin}/metrics") as response:
        text = await response.text()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def is_ready_at(admin: str, path: str = "/readyz") -> bool:
    """What the admin port says; no, when nobody answers."""
    timeout = aiohttp.ClientTimeout(total=3)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{admin}{path}") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@asynccontextmanager
async def fresh(**more: Any) -> AsyncIterator[TestStack]:
    """A stack with its own data, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parley-test-") as data:
        async with TestStack(Path(data), **more) as stack:
            try:
                yield stack
            finally:
                await stack.kill()
