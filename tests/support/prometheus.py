"""A real Prometheus (Debian's) that scrapes a stack every second, with the rules that are shipped."""

import math
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import yaml

from deploy.local.ports import HOST, Ports
from deploy.local.process import Child
from deploy.local.stack import ROOT
from tests.support.grafana import Query, filled
from tests.support.nats_exporter import exporter
from tests.support.stacks import TestStack
from tests.support.waiting import until

SCRAPE_SECONDS: Final = 1
JOBS: Final = ("parley-gateway", "parley-auth", "parley-history", "parley-nats")
"""As in deploy/compose and deploy/k8s, where there is a proxy besides."""
PROGRAM: Final = shutil.which("prometheus")

_RULES: Final = ROOT / "deploy" / "observability" / "rules"

Series = list[dict[str, Any]]
"""As Prometheus answers: `metric`, the labels, and `values`, pairs of a time and a number as text."""


class Prometheus:
    """Its HTTP API, at `url`; asked about what is since `began`."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.began = time.time()
        self._http = http

    async def ask(self, path: str, **params: Any) -> Any:
        """The data of an answer; fails with Prometheus' own words."""
        async with self._http.post(f"{self.url}/api/v1/{path}", data=params) as response:
            answer = await response.json()
            assert answer["status"] == "success", f"{params}: {answer.get('error')}"
            return answer["data"]

    async def told(self, path: str) -> Any:
        """What it tells of itself: its targets, its rules."""
        async with self._http.get(f"{self.url}/api/v1/{path}") as response:
            return (await response.json())["data"]

    async def series(self, query: Query) -> Series:
        """What Grafana would show, which leaves out what is no number; all of it since the beginning."""
        now = time.time()
        span = now - self.began
        asked = filled(query.expression, step=SCRAPE_SECONDS, scrape=SCRAPE_SECONDS, span=math.ceil(span))
        if query.instant:
            data = await self.ask("query", query=asked, time=now)
            found = [{"metric": each["metric"], "values": [each["value"]]} for each in data["result"]]
        else:
            data = await self.ask("query_range", query=asked, start=self.began, end=now, step=SCRAPE_SECONDS)
            found = data["result"]
        for each in found:
            each["values"] = [(at, value) for at, value in each["values"] if math.isfinite(float(value))]
        return [each for each in found if each["values"]]

    async def has_shown(self, query: Query) -> bool:
        """Whether there was anything to show at any time since the beginning."""
        return bool(await self.series(msgspec.structs.replace(query, instant=False)))

    async def highest(self, expression: str) -> float:
        """The highest value that any series of `expression` had; 0 if there is none."""
        query = Query("", "", "", expression, "", instant=False)
        return max((float(value) for each in await self.series(query) for _, value in each["values"]), default=0)


@asynccontextmanager
async def prometheus(stack: TestStack) -> AsyncIterator[Prometheus]:
    """While the block runs; it has seen every target when the block begins."""
    assert PROGRAM is not None
    ports = Ports.free()
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="parley-prometheus-")))
        nats_url = await exits.enter_async_context(
            exporter(f"http://{HOST}:{stack.ports.nats_monitor}", ports.nats_monitor)
        )
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_config(stack, nats_url, folder)))
        command = [PROGRAM, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address={HOST}:{ports.gateway_1}", "--log.level=warn"]
        output: list[str] = []
        child = Child("prometheus", command, cwd=folder, environ=os.environ, sink=lambda _, line: output.append(line))
        await child.start()
        exits.push_async_callback(child.kill)
        http = await exits.enter_async_context(aiohttp.ClientSession())
        asked = Prometheus(f"http://{HOST}:{ports.gateway_1}", http)

        async def sees_all() -> bool:
            assert child.is_running, output
            try:
                return await asked.highest("count(up == 1)") == len(stack.children) - 1
            except aiohttp.ClientError:
                return False

        await until(sees_all, "Prometheus to have scraped every target", seconds=30)
        yield asked


def _config(stack: TestStack, nats_url: str, folder: Path) -> dict[str, Any]:
    jobs: dict[str, dict[str, str]] = {name: {} for name in JOBS}
    for name in stack.children:
        if name not in {"nats", "mongo"}:
            jobs[f"parley-{name.partition('-')[0]}"][name] = stack.admin_url(name).removeprefix("http://")
    jobs["parley-nats"]["nats"] = nats_url.removeprefix("http://")
    return {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"},
        "rule_files": _rules(folder),
        "scrape_configs": [{"job_name": job, "static_configs": _static(targets)} for job, targets in jobs.items()],
    }


def _static(targets: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"targets": [address], "labels": {"instance": name}} for name, address in targets.items()]


def _rules(folder: Path) -> list[str]:
    """Those that are shipped, evaluated as often as is scraped here; alerts fire without waiting."""
    files: list[str] = []
    for path in sorted(_RULES.glob("*.yml")):
        rules = yaml.safe_load(path.read_text())
        for group in rules["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                rule.pop("for", None)
        files.append(str(folder / path.name))
        Path(files[-1]).write_text(yaml.safe_dump(rules))
    return files
