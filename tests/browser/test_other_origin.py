"""A page on another origin than the gateway's, which takes `web/parley-client.js` from its own server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import pytest_asyncio
from aiohttp import hdrs, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from deploy.local.ports import HOST
from deploy.local.stack import ROOT
from tests.support.stacks import TestStack, fresh, unique

_BURST: Final = 3
_PAGE: Final = """<!doctype html>
<meta charset="utf-8" />
<title>Elsewhere</title>
<link rel="icon" href="data:," />
<script type="module">
  import { ParleyClient } from "/web/parley-client.js";

  const ask = async (gateway, method, path, { token, body } = {}) => {
    const headers = { "Content-Type": "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    const answer = await fetch(gateway + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, told: text && JSON.parse(text), retryAfter: answer.headers.get("Retry-After") };
  };
  const joined = (gateway, token, room) =>
    new Promise((resolve, reject) => {
      const client = new ParleyClient({ url: gateway, token: () => token });
      client.addEventListener("joined", ({ detail }) => resolve(detail.room));
      client.addEventListener("ended", ({ detail }) => reject(new Error(detail.message)));
      client.join(room);
      client.connect();
    });
  Object.assign(window, { ask, joined });
</script>
"""


@asynccontextmanager
async def _site() -> AsyncIterator[str]:
    """The origin of a web server of somebody's own."""
    app = web.Application()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    app.router.add_get("/", page)
    app.router.add_static("/web", ROOT / "web")
    async with TestServer(app, host=HOST) as server:
        yield f"http://{HOST}:{server.port}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[str]:
    """One that is on the list."""
    async with _site() as origin:
        yield origin


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_stack(site: str) -> AsyncIterator[TestStack]:
    """Its gateways let pages of `site` in, and answer each user `_BURST` times."""
    gateway = {"ALLOWED_ORIGINS": site, "REQUESTS_PER_SECOND": "0.01", "REQUESTS_BURST": str(_BURST)}
    async with fresh(own_environ={"gateway-1": gateway, "gateway-2": gateway}) as started:
        yield started


async def _ask(page: Page, *arguments: Any) -> Any:
    return await page.evaluate("(all) => ask(...all)", list(arguments))


async def test_a_listed_page_signs_in_asks_and_connects(browser: Browser, open_stack: TestStack, site: str) -> None:
    """As a guest, with the client that is there to be copied; it can read problems, and when to try again."""
    gateway, room = open_stack.gateway_urls[0], unique("elsewhere")
    page = await browser.new_page()
    await page.goto(site)
    guest = await _ask(page, gateway, "POST", "/api/guest", {"body": {"display_name": "Ann"}})
    assert (guest["status"], guest["told"]["user"]["display_name"]) == (201, "Ann")
    token = guest["told"]["access_token"]
    assert await page.evaluate("(all) => joined(...all)", [gateway, token, room]) == room

    group = await _ask(page, gateway, "POST", "/api/rooms", {"token": token, "body": {"members": [], "name": "Us"}})
    renamed = await _ask(
        page, gateway, "PATCH", f"/api/rooms/{group['told']['room']}", {"token": token, "body": {"name": "We"}}
    )
    assert (group["status"], renamed["status"]) == (201, 204)
    rooms = await _ask(page, gateway, "GET", "/api/rooms", {"token": token})
    assert [each["name"] for each in rooms["told"]["rooms"]] == ["We"]
    refused = await _ask(page, gateway, "GET", f"/api/rooms/{room}/messages", {"token": token})
    assert (refused["status"], refused["told"]["code"]) == (429, "rate_limited")
    assert int(refused["retryAfter"]) >= 1
    keys = await _ask(page, gateway, "GET", "/.well-known/jwks.json")
    assert keys["told"]["keys"]
    await page.context.close()


async def test_a_page_that_is_not_listed_gets_nothing(browser: Browser, open_stack: TestStack) -> None:
    """Its browser does not even send what it asks for."""
    async with _site() as elsewhere:
        page = await browser.new_page()
        await page.goto(elsewhere)
        asked = "(all) => ask(...all).then(() => 'read', (error) => error.name)"
        body = {"body": {"display_name": "Eve"}}
        assert await page.evaluate(asked, [open_stack.gateway_urls[0], "POST", "/api/guest", body]) == "TypeError"
        assert await page.evaluate(asked, [open_stack.gateway_urls[0], "GET", "/api/rooms"]) == "TypeError"
        await page.context.close()


async def test_asking_first_costs_nothing(open_stack: TestStack, site: str) -> None:
    """Whatever a preflight bears, the user may still ask as often as before."""
    headers = {hdrs.AUTHORIZATION: f"Bearer {await open_stack.token()}", hdrs.ORIGIN: site}
    asks = {**headers, hdrs.ACCESS_CONTROL_REQUEST_METHOD: "GET"}
    async with aiohttp.ClientSession(open_stack.gateway_urls[1]) as http:
        preflights = [(await http.options("/api/rooms", headers=asks)).status for _ in range(4 * _BURST)]
        answers = [(await http.get("/api/rooms", headers=headers)).status for _ in range(_BURST + 1)]
    assert preflights == [204] * len(preflights)
    assert answers == [200] * _BURST + [429]
