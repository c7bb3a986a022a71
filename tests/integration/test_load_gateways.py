"""What gateways use while a load runs, read from real ones; and from others that tell too much, or nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from loadtests.facts import Process, Usage
from loadtests.gateways import Watch, watching
from tests.support.clients.parley import PythonClient
from tests.support.stacks import TestStack
from tests.support.waiting import until

_TEXT = """# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total {}
process_resident_memory_bytes 5.0e+07
process_start_time_seconds 1.8e+09
parley_gateway_connections 7
parley_gateway_connections_limit 10000
"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def _serving(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """A server's address, with a port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _named(watch: Watch, name: str) -> list[Usage]:
    return next((each.usage for each in watch.processes if each.name == name), [])


async def test_real_gateways_are_seen_also_one_that_was_killed(own_stack: TestStack) -> None:
    """Their connections, CPU and memory; a gateway that comes back goes on where the old one ended, with a gap."""
    urls = {name: f"{own_stack.admin_url(name)}/metrics" for name in ("gateway-1", "gateway-2")}
    names = {url: name for name, url in urls.items()}
    async with watching(urls.values(), names) as watch:
        async with PythonClient(own_stack.gateway_urls[0], await own_stack.token()):
            await until(
                lambda: any(each.connections == 1 for each in _named(watch, "gateway-1")), "the client is seen"
            )
        await until(lambda: len(_named(watch, "gateway-2")) >= 2, "the other is seen, too")
        await own_stack.children["gateway-1"].kill()
        before = len(_named(watch, "gateway-1"))
        await own_stack.start_anew("gateway-1")
        await until(lambda: len(_named(watch, "gateway-1")) >= before + 2, "the new process is seen")
    assert watch.warnings == []
    assert [each.name for each in watch.processes] == ["gateway-1", "gateway-2"]
    for each in watch.processes:
        _is_plausible(each)
    assert {each.connections for each in _named(watch, "gateway-2")} == {0}


def _is_plausible(process: Process) -> None:
    seconds = [each.at for each in process.usage]
    assert seconds == sorted(seconds)
    assert all(0 <= each.cpu_percent < 1000 for each in process.usage)  # a counter that began anew is no minus
    assert all(20_000_000 < each.memory_bytes < 2_000_000_000 for each in process.usage)


async def test_it_ends_with_the_block(stack: TestStack) -> None:
    """No task is left, and what was seen stays."""
    before = asyncio.all_tasks()
    async with watching([stack.admin_url("gateway-1")]) as watch:  # without its path
        await until(lambda: bool(watch.processes), "a gateway is seen")
    assert asyncio.all_tasks() == before
    assert watch.processes[0].name == stack.admin_url("gateway-1").removeprefix("http://")


async def test_cpu_is_what_the_counter_grew_by() -> None:
    """Half a core for each second that passed, by the server's own clock."""
    loop = asyncio.get_running_loop()

    async def half(_: web.Request) -> web.Response:
        return web.Response(text=_TEXT.format(100 + loop.time() / 2))

    async with _serving(half) as url, watching([url]) as watch:
        await until(lambda: bool(watch.processes) and len(watch.processes[0].usage) >= 3, "three seconds are seen")
    for each in watch.processes[0].usage[:3]:
        assert 10 < each.cpu_percent < 250  # it is 50; a busy machine is late now and then
        assert (each.memory_bytes, each.connections) == (50_000_000, 7)


async def test_a_host_with_several_addresses_is_several_gateways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asked by its own address, as the host that was meant; addresses that come later are seen as well."""
    hosts: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        hosts.append(request.headers["Host"])
        return web.Response(text=_TEXT.format(1))

    addresses = ["127.0.0.1"]
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolve(host: str, port: int, **more: int) -> list[tuple[object, ...]]:
        if host != "gateways.test":
            return list(await real(host, port, **more))
        return [each for address in addresses for each in await real(address, port, **more)]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    async with _serving(answer, "0.0.0.0") as url:  # noqa: S104 - both addresses of loopback
        port = int(url.rpartition(":")[2])
        async with watching([f"http://gateways.test:{port}/metrics"]) as watch:
            await until(lambda: len(watch.processes) == 1, "the first is seen")
            addresses.append("127.0.0.2")
            await until(lambda: len(watch.processes) == 2, "the second is seen")
    assert [each.name for each in watch.processes] == [f"127.0.0.1:{port}", f"127.0.0.2:{port}"]
    assert set(hosts) == {f"gateways.test:{port}"}


async def test_what_does_not_tell_is_told_of() -> None:
    """Redirects are not followed, nor is what is endless read to its end; a name that nobody knows is no error."""
    asked: list[str] = []
    sent = 0

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"process_cpu_seconds_total 1\n" * 1000)
            sent += 28_000

    async def nonsense(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"process_cpu_seconds_total one\n\xff")

    async with _serving(elsewhere) as first, _serving(endless) as second, _serving(nonsense) as third:
        urls = [f"{first}/one", f"{second}/two", f"{third}/three", "http://nobody.invalid:1/metrics"]
        async with watching(urls) as watch:
            await until(lambda: {"/one", "/three"} <= set(asked) and sent > 1 << 20, "all to have been asked")
            await until(lambda: asked.count("/one") >= 2 and asked.count("/three") >= 2, "they are asked again")
    assert watch.processes == []
    assert watch.warnings == [f"{url} told nothing of its gateways' CPU and memory" for url in urls]
    assert "/elsewhere" not in asked


async def test_what_is_no_url_is_refused() -> None:
    """Before anything is watched."""
    for text in ("gateway-1:9000", "ftp://gateway/metrics", "http://"):
        with pytest.raises(ValueError, match="no URL"):
            async with watching([text]):
                pytest.fail("it was watched")
