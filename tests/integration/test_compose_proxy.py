"""The compose stack's HAProxy configuration, in a real HAProxy before two servers of which each can be unready."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from deploy.local.haproxy import Server, configuration, program
from deploy.local.ports import HOST, Ports
from deploy.local.process import StackError
from tests.support.waiting import until

HANDSHAKE = "/socket.io/?EIO=4&transport=polling"
POLL = f"{HANDSHAKE}&sid=x"
UPGRADE = "/socket.io/?EIO=4&transport=websocket&sid=x"
WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
API = "/api/rooms"
TIMES = 12


class Proxy:
    """It, with the two servers; `ready` says which of them say that they are."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ready = [True, True]

    async def ask(self, path: str, **headers: str) -> tuple[int, str, str]:
        """The status, which server answered with what it was told of the client, and the cookie that came along."""
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(cookie_jar=jar) as http,
            http.get(self.url + path, headers=headers) as answer,
        ):
            cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
            return answer.status, await answer.text(), cookie

    async def who(self, path: str, **headers: str) -> set[str]:
        """All who answer, of many times."""
        return {(await self.ask(path, **headers))[1][:1] for _ in range(TIMES)}


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    """Started, and ended."""
    try:
        haproxy = program()
    except StackError:
        pytest.skip("no haproxy: how compose's proxy leads clients is NOT tested")
    ports = Ports.free()
    started = Proxy(f"http://{HOST}:{ports.gateway_1}")
    servers = [(ports.nats, ports.nats_monitor), (ports.auth_admin, ports.history_admin)]
    runners = [await _serve(started, number, *each) for number, each in enumerate(servers)]
    file = tmp_path / "haproxy.cfg"
    file.write_text(configuration([Server(*each) for each in servers], ports.gateway_1, ports.mongo))
    process = await asyncio.create_subprocess_exec(haproxy, "-db", "-f", file, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await until(lambda: _answers(started), "the proxy to lead to both")
        yield started
    finally:
        process.terminate()
        await process.wait()
        for each in runners:
            await each.cleanup()


async def _serve(proxy: Proxy, number: int, port: int, admin: int) -> web.AppRunner:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/readyz":
            return web.Response(status=200 if proxy.ready[number] else 503)
        told = {
            name: request.headers.get(name) for name in ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Host")
        }
        return web.Response(text=f"{number} {told}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    for each in (port, admin):
        await web.TCPSite(runner, HOST, each).start()
    return runner


async def _answers(proxy: Proxy) -> bool:
    try:
        return await proxy.who(API) == {"0", "1"}
    except aiohttp.ClientError:
        return False


async def test_what_needs_no_session_is_spread_and_polling_stays(proxy: Proxy) -> None:
    """The API and new WebSockets go to both; a poll brings a cookie, which keeps polls and the upgrade there."""
    assert await proxy.who(WEBSOCKET) == {"0", "1"}
    assert (await proxy.ask(API))[2] == (await proxy.ask(WEBSOCKET))[2] == ""
    status, said, cookie = await proxy.ask(HANDSHAKE)
    assert status == 200
    assert cookie.startswith("parley-gateway=")
    here = {said[0]}
    for path in (POLL, UPGRADE):
        assert await proxy.who(path, Cookie=cookie) == here
        assert await proxy.who(path) == here, "without a cookie, by the address"
    assert (await proxy.ask(POLL, Cookie=cookie))[2] == "", "it comes once"


async def test_an_unready_gateway_keeps_whom_it_has(proxy: Proxy) -> None:
    """Nobody new gets there; who has its cookie and a session does, until it is ready again."""
    _, said, cookie = await proxy.ask(HANDSHAKE)
    here, there = said[0], "10"[int(said[0])]
    proxy.ready[int(here)] = False

    async def is_out() -> bool:
        return await proxy.who(API) == {there} and await proxy.who(HANDSHAKE) == {there}

    await until(is_out, "the proxy to see it")
    assert await proxy.who(WEBSOCKET) == {there}
    assert await proxy.who(POLL, Cookie=cookie) == {here}
    assert await proxy.who(UPGRADE, Cookie=cookie) == {here}
    # Without a session the cookie binds to nobody: the client begins anew.
    status, said, other = await proxy.ask(HANDSHAKE, Cookie=cookie)
    assert (status, said[0]) == (200, there)
    assert other not in {"", cookie}
    proxy.ready[int(here)] = True
    await until(lambda: _answers(proxy), "it to be let in again")
    assert await proxy.who(POLL, Cookie=other) == {there}, "the cookie goes before the address"


async def test_when_no_gateway_is_ready_that_is_a_problem_of_ours(proxy: Proxy) -> None:
    """As a gateway would say it."""
    proxy.ready[:] = [False, False]
    await until(lambda: _is_unavailable(proxy), "the proxy to see it")
    async with aiohttp.ClientSession() as http, http.get(proxy.url + API) as answer:
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Retry-After"] == "1"
        problem = await answer.json()
    assert (problem["status"], problem["code"], problem["retry_after"]) == (503, "unavailable", 1)


async def _is_unavailable(proxy: Proxy) -> bool:
    return (await proxy.ask(API))[0] == 503


async def test_what_clients_claim_of_their_address_is_dropped(proxy: Proxy) -> None:
    """And Host is left alone: origins are compared with it."""
    claims = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil", "Forwarded": "for=1.2.3.4", "Host": "chat:81"}
    _, said, _ = await proxy.ask(API, **claims)
    told = {"X-Forwarded-For": HOST, "X-Forwarded-Host": None, "Forwarded": None, "Host": "chat:81"}
    assert said[2:] == str(told)
