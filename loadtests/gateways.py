"""What the gateways use themselves while a run lasts: read from their /metrics, every second."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from yarl import URL

from loadtests.facts import Process, Usage

_EVERY_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 5.0
_RESOLVE_EVERY_SECONDS: Final = 5.0
_BYTES_MOST: Final = 1 << 20
_TARGETS_MOST: Final = 200
_CPU: Final = "process_cpu_seconds_total"
_MEMORY: Final = "process_resident_memory_bytes"
_STARTED: Final = "process_start_time_seconds"
_CONNECTIONS: Final = "parley_gateway_connections"
_WANTED: Final = (_CPU, _MEMORY, _STARTED, _CONNECTIONS)


class Target:
    """One gateway at one address; in turn whichever process answers there."""

    def __init__(self, url: URL, name: str, address: str) -> None:
        self.process: Final = Process(name=name, host=address)
        self.answers = 0
        self._url = url
        self._to = url.with_host(address)
        self._before: dict[str, float] = {}
        self._before_at = 0.0

    async def look(self, http: aiohttp.ClientSession) -> None:
        """Once. A gateway that does not answer, or not with metrics, leaves a gap."""
        try:
            found = await self._read(http)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return
        if not found:
            return
        self.answers += 1
        now, before = time.monotonic(), self._before
        passed, self._before_at, self._before = now - self._before_at, now, found
        # Another process than the last time: its counter has begun anew.
        is_the_same = before.get(_STARTED) == found.get(_STARTED) and before.get(_CPU, 0.0) <= found.get(_CPU, 0.0)
        if not before or not is_the_same or passed <= 0:
            return
        connections = found.get(_CONNECTIONS)
        used = Usage(
            at=int(time.time() - passed / 2),  # the second in which most of it lies
            cpu_percent=round(100 * (found.get(_CPU, 0.0) - before.get(_CPU, 0.0)) / passed, 1),
            memory_bytes=int(found.get(_MEMORY, 0.0)),
            connections=None if connections is None else int(connections),
        )
        self.process.usage.append(used)

    async def _read(self, http: aiohttp.ClientSession) -> dict[str, float]:
        headers = {"Host": self._url.host_port_subcomponent or "", "Accept": "text/plain;version=0.0.4"}
        name = self._url.host if self._url.scheme == "https" else None
        async with http.get(self._to, headers=headers, allow_redirects=False, server_hostname=name) as response:
            if response.status != 200:
                return {}
            return _values(await _text(response))


class Watch:
    """All gateways that were seen."""

    def __init__(self, urls: Iterable[str], names: Mapping[str, str]) -> None:
        self._urls = {text: _metrics_url(text) for text in urls}
        self._names = names
        self.broken = ""
        """A defect that ended it, if there was one: no reason to end a run."""
        self._targets: dict[tuple[str, str], Target] = {}

    @property
    def processes(self) -> list[Process]:
        """Each with all that it used; those that never answered are left out."""
        return [each.process for each in self._targets.values() if each.process.usage]

    @property
    def warnings(self) -> list[str]:
        """Which addresses told nothing at all, one line each; good once the run is over."""
        silent = [text for text in self._urls if not any(each.answers for each in self._of(text))]
        found = [f"{text} told nothing of its gateways' CPU and memory" for text in silent]
        return [*found, f"the gateways were watched no longer: {self.broken}"] if self.broken else found

    async def run(self) -> None:
        """Until it is cancelled: a task for each address, so that a slow one holds up no other."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http, asyncio.TaskGroup() as tasks:
            while True:
                for text, url in self._urls.items():
                    for address in await _addresses(url):
                        if (text, address) not in self._targets and len(self._targets) < _TARGETS_MOST:
                            target = self._add(text, url, address)
                            tasks.create_task(_every_second(target, http))
                # Pods come with new addresses.
                await asyncio.sleep(_RESOLVE_EVERY_SECONDS)

    def _add(self, text: str, url: URL, address: str) -> Target:
        shown = f"[{address}]" if ":" in address else address
        name = self._names.get(text, f"{shown}:{url.port}")
        if self._of(text) and text in self._names:
            name = f"{name} ({shown})"
        target = self._targets[text, address] = Target(url, name, address)
        return target

    def _of(self, text: str) -> list[Target]:
        return [target for (url, _), target in self._targets.items() if url == text]


@asynccontextmanager
async def watching(urls: Iterable[str], names: Mapping[str, str] | None = None) -> AsyncIterator[Watch]:
    """While the block runs; what was seen can be read then and afterwards. Raises `ValueError` for what is no URL.

    `urls` are those of /metrics, http or https; a host name with several addresses is as many gateways. `names` says
    how the gateway behind a URL is called; otherwise it is its address. Gateways that are away, or come back as
    another process, or at another address, are no error: they leave a gap.
    """
    watch = Watch(urls, names or {})
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            watch.broken = repr(task.exception())


async def _every_second(target: Target, http: aiohttp.ClientSession) -> None:
    due = time.monotonic()
    while True:
        await target.look(http)
        due = max(due + _EVERY_SECONDS, time.monotonic())
        await asyncio.sleep(due - time.monotonic())


def _metrics_url(text: str) -> URL:
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"{text!r} is no URL of http or https")
    return url if url.path not in {"", "/"} else url.with_path("/metrics")


async def _addresses(url: URL) -> list[str]:
    """None when the name is not known now."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    # ::1 and 127.0.0.1 of one name would be the same gateway twice.
    families = {each[0] for each in found}
    chosen = socket.AF_INET if socket.AF_INET in families else socket.AF_INET6
    return list(dict.fromkeys(str(each[4][0]) for each in found if each[0] == chosen))


async def _text(response: aiohttp.ClientResponse) -> str:
    """Raises `ValueError` when there is more than a service would have to tell."""
    body = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        body += part
        if len(body) > _BYTES_MOST:
            raise ValueError("more than a service has to tell")
    return body.decode()


def _values(text: str) -> dict[str, float]:
    """Of the metrics that are wanted. To parse all of the 500 would cost the generator more than its users do."""
    lines = [line for line in text.splitlines() if line.startswith(_WANTED)]
    return dict(_samples("\n".join(lines) + "\n"))


def _samples(text: str) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in _WANTED:
                yield sample.name, sample.value
