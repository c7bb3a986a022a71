"""The stack that strangers are let loose on, a good client that stays, and how one tells that all is as before."""

import ipaddress
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import psutil

from deploy.local.unlimited import UNLIMITED
from tests.abuse import log_lines, origins
from tests.abuse.rows import MIB, ROOM, Row
from tests.abuse.stranger import Stranger
from tests.support import series
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack, fresh, unique
from tests.support.waiting import DEADLINE_SECONDS, until

GATEWAY: Final = "gateway-1"
_DAY_SECONDS: Final = 86_400
_DEFAULTS: Final = dict.fromkeys(
    (*UNLIMITED, "LOGIN_FAILURES_PER_ADDRESS", "REGISTRATIONS_PER_ADDRESS", "GUESTS_PER_ADDRESS"), ""
)
"""What other stacks on one machine have to lift: here each stranger has an address of its own."""
_ADDRESSES: Final = ipaddress.ip_address("127.1.0.1")
_GAUGES: Final = (
    "parley_gateway_connections",
    "parley_gateway_rooms",
    "parley_gateway_slow_readers",
    "parley_tasks",
)
_MEMORY_KEPT_MOST: Final = 48 * MIB
"""By all inputs together: the allocators of Python and of C give back what they had at their worst only in part."""


class Measures(NamedTuple):
    """What a gateway has while only the good client is there."""

    gauges: dict[str, float]
    files: int


class Ground:
    """Everything that the inputs of a run share."""

    def __init__(self, stack: TestStack, client: PythonClient, http: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.client = client
        self.secrets: set[str] = {client.options["auth"]["token"]}
        self._http = http
        self._process = psutil.Process(stack.children[GATEWAY].pid)
        self._began = self._process.create_time()
        self._numbers = itertools.count()
        self._lines = 0
        self._before: Measures
        self._memory = 0

    def stranger(self) -> Stranger:
        """Somebody new."""
        return Stranger(self.stack, str(_ADDRESSES + next(self._numbers)), self.keep_secret)

    def keep_secret(self, secret: str) -> str:
        """`secret`, of which no log may have a trace."""
        self.secrets.add(secret)
        return secret

    async def settle(self) -> None:
        """Take the present state for the one that everything has to come back to."""
        await self._serves()
        self._before = await self._measures()
        self._memory = self._process.memory_info().rss

    async def try_out(self, row: Row) -> str:
        """What comes of `row`, sent by a stranger; fails if it costs the gateway more memory than it may."""
        before = self._forget_worst_memory()
        outcome = await row.send(self.stranger())
        grew = self._worst_memory() - before
        assert grew < row.grows_most, f"{row.name}: the gateway grew by {grew} bytes"
        return outcome

    async def is_well(self, *, seconds: float = DEADLINE_SECONDS) -> None:
        """The same process serves the good client and a new one, and has what it had, and has logged no defect."""
        await self._serves()
        await until(self._is_as_before, "connections, files and tasks to be as before", seconds=seconds)
        self.has_logged_well()

    def has_logged_well(self) -> None:
        """Nothing is wrong with what was logged since this was asked last."""
        lines, self._lines = self.stack.output[self._lines :], len(self.stack.output)
        complaints = log_lines.complaints(lines)
        assert not complaints, complaints

    async def has_few_series(self) -> None:
        """Nothing that was sent has made a series: there are those that there can be in any case, and no other."""
        for name in (GATEWAY, "auth", "history"):
            found = await series.scraped(self.stack.admin_url(name))
            assert found <= series.possible(name.partition("-")[0])

    def has_kept_secrets(self) -> None:
        """No secret is in anything that any process has written."""
        leaks = log_lines.leaks(self.stack.output, self.secrets)
        assert not leaks, leaks

    def has_grown_little(self) -> None:
        """The memory of the gateway is what it was, but for what allocators keep."""
        grew = self._process.memory_info().rss - self._memory
        assert grew < _MEMORY_KEPT_MOST, f"by {grew} bytes"

    async def serves_side_by_side(self) -> None:
        """As `is_well`, while other strangers are still there."""
        await self._serves()
        self.has_logged_well()

    async def _serves(self) -> None:
        assert self._process.is_running()
        assert self._process.create_time() == self._began
        said = unique("m")
        assert (await self.client.say(ROOM, said))["ok"]
        await until(lambda: said in [each["id"] for each in self.client.messages(ROOM)], "the good client to hear")
        async with self.stranger().member(ROOM) as other:
            said = unique("m")
            assert (await other.call("message", {"room": ROOM, "id": said, "body": "hello"}))["ok"]
            assert (await other.hears("message"))["id"] == said
        await until(lambda: said in [each["id"] for each in self.client.messages(ROOM)], "both to hear")

    async def _is_as_before(self) -> bool:
        now = await self._measures()
        return now.files <= self._before.files and all(
            now.gauges[name] <= value for name, value in self._before.gauges.items()
        )

    async def _measures(self) -> Measures:
        # On a connection that stays: another one each time would be counted with the others.
        async with self._http.get(f"{self.stack.admin_url(GATEWAY)}/metrics") as response:
            text = await response.text()
        found = dict(re.findall(r"^(\w+) ([\d.e+]+)$", text, re.MULTILINE))
        return Measures({name: float(found[name]) for name in _GAUGES}, self._process.num_fds())

    def _forget_worst_memory(self) -> int:
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")  # proc(5): the peak becomes what it is now
        return self._worst_memory()

    def _worst_memory(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """A stack of its own with the defaults of production but for an origin, and a good client on it, for a day."""
    async with (
        fresh(environ={**_DEFAULTS, "ALLOWED_ORIGINS": origins.LISTED}) as stack,
        PythonClient(stack.gateway_urls[0], (await stack.mint(1, seconds=_DAY_SECONDS))[0]) as client,
        aiohttp.ClientSession() as http,
    ):
        await client.join(ROOM)
        prepared = Ground(stack, client, http)
        await prepared.settle()
        yield prepared
