"""Hosts of one's own: network namespaces on a bridge, which can be cut off from each other. Linux, and root only."""

import asyncio
import itertools
import os
from asyncio.subprocess import DEVNULL
from typing import Final, Self

_numbers = itertools.count()


class Network:
    """`size` hosts that reach each other and this machine, while the block runs."""

    def __init__(self, size: int) -> None:
        number = next(_numbers)
        self._name: Final = f"p{os.getpid()}-{number}"
        self._prefix: Final = f"10.{200 + number % 50}.{os.getpid() % 250}"
        self.addresses: Final = [f"{self._prefix}.{host + 1}" for host in range(size)]

    async def __aenter__(self) -> Self:
        """Make them; raises `OSError` when that may not be done."""
        try:
            await _ip(f"link add {self._name} type bridge")
            await _ip(f"addr add {self._prefix}.254/24 dev {self._name}")
            await _ip(f"link set {self._name} up")
            for host in range(len(self.addresses)):
                await self._add(host)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Remove them; what ran there must have ended."""
        for host in range(len(self.addresses)):
            await _ip(f"netns delete {self._host(host)}", may_fail=True)
        await _ip(f"link delete {self._name}", may_fail=True)

    def on(self, host: int, command: list[str]) -> list[str]:
        """`command` as it runs on `host`."""
        return ["ip", "netns", "exec", self._host(host), *command]

    async def cut_off(self, host: int) -> None:
        """From now on nothing passes between `host` and the others; this machine still reaches all of them."""
        await self._route("add", host)

    async def connect(self, host: int) -> None:
        """Undo `cut_off`."""
        await self._route("delete", host)

    async def _route(self, change: str, host: int) -> None:
        for other in range(len(self.addresses)):
            if other != host:
                for here, there in ((host, other), (other, host)):
                    await self._ip_on(here, f"route {change} blackhole {self.addresses[there]}/32")

    async def _add(self, host: int) -> None:
        outer, inner = f"{self._name}-{host}", f"{self._name}i{host}"
        await _ip(f"netns add {self._host(host)}")
        await _ip(f"link add {outer} type veth peer name {inner} netns {self._host(host)}")
        await _ip(f"link set {outer} master {self._name} up")
        await self._ip_on(host, "link set lo up")
        await self._ip_on(host, f"addr add {self.addresses[host]}/24 dev {inner}")
        await self._ip_on(host, f"link set {inner} up")

    def _host(self, host: int) -> str:
        return f"{self._name}h{host}"

    async def _ip_on(self, host: int, command: str) -> None:
        await _ip(f"-netns {self._host(host)} {command}")


async def _ip(command: str, *, may_fail: bool = False) -> None:
    process = await asyncio.create_subprocess_exec("ip", *command.split(), stderr=DEVNULL if may_fail else None)
    if await process.wait() and not may_fail:
        raise OSError(f"ip {command} did not work")
