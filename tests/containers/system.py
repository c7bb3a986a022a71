"""docker-compose.yml, run by `make up`'s own code with podman, on free ports and under a name of its own."""

import asyncio
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from deploy.compose import containers
from deploy.compose.containers import Container
from deploy.local.ports import HOST, Ports
from deploy.local.stack import ROOT

PROJECT: Final = "parley-test"
NETWORK: Final = "10.213.78"
_SECONDS: Final = 150
_WITH_FILES: Final = ("proxy", "gateway")


class System:
    """One of it. `left_out`: services that cannot run here."""

    def __init__(self, folder: Path, left_out: Sequence[str]) -> None:
        ports = Ports.free()
        self._ports = ports
        self.port = ports.gateway_1
        self.url = f"http://{HOST}:{ports.gateway_1}"
        self.prometheus = f"http://{HOST}:{ports.gateway_2}"
        described = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        self.services = [
            name
            for name, each in described.items()
            if each.get("profiles", ["monitoring"]) == ["monitoring"] and each["image"] not in left_out
        ]
        self._environ = {
            **os.environ,
            "PARLEY_PORT": f"{HOST}:{ports.gateway_1}",
            "PARLEY_PROMETHEUS_PORT": str(ports.gateway_2),
            "PARLEY_NETWORK": NETWORK,
            "PARLEY_FILES": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            "COMPOSE_FILE": f"{ROOT / 'docker-compose.yml'}:{_limits(folder)}",
        }
        self.output = ""

    async def up(self, *more: str, seconds: int = _SECONDS) -> None:
        """Start it, or what is missing of it, as `make up` does; fails with all that was printed."""
        await self._make(
            "up", "--built", "--profiles", "monitoring", "--seconds", str(seconds), "--", *more, *self.services
        )

    async def down(self) -> None:
        """As `make down ARGS=-v` does."""
        await self._make("down", "--", "-v")

    async def loadtest(self, *arguments: str) -> None:
        """As `docker compose run --rm loadtest` does; fails unless its judge is content."""
        run = ("run", "--rm", "--no-deps", "loadtest", *arguments)
        await self._python("-m", "podman_compose", "--project-name", PROJECT, "--profile", "loadtest", *run)

    async def _make(self, command: str, *more: str) -> None:
        await self._python("-m", "deploy.compose", command, "--engine", "podman", "--project", PROJECT, *more)

    async def _python(self, *arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env=self._environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        self.output = output.decode()
        assert process.returncode == 0, self.output

    def gateways(self) -> dict[str, Container]:
        """The gateways, by what they call themselves."""
        return {each.id[:12]: each for each in containers.look("podman", PROJECT) if each.service == "gateway"}

    async def guest(self) -> str:
        """The token of somebody new."""
        body = {"display_name": "guest"}
        async with aiohttp.ClientSession() as http, http.post(f"{self.url}/api/guest", json=body) as answer:
            assert answer.status == 201, await answer.text()
            return str((await answer.json())["access_token"])

    async def asked(self, path: str, **parameters: str) -> Any:
        """The data that Prometheus answers with."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.prometheus}{path}", params=parameters) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["data"]


def _limits(folder: Path) -> Path:
    # podman sets the limit of processes too as soon as one limit is named, to more than a container here may have.
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    most = 10_000 if most == resource.RLIM_INFINITY else min(most, 10_000)
    file = folder / "limits.yml"
    file.write_text(yaml.safe_dump({"services": {name: {"ulimits": {"nproc": most}} for name in _WITH_FILES}}))
    return file
