"""What pages of other origins are told by the API, through a real server."""

from collections.abc import Mapping
from typing import Final

import pytest
from aiohttp import hdrs, web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.api.cross_origin import CrossOrigin
from services.gateway.api.problems import as_problems
from services.gateway.api.query_tokens import no_tokens_in_query
from wire.errors import ErrorCode, ParleyError

LISTED: Final = "https://listed.example"
ASKS: Final[dict[str, str]] = {
    hdrs.ACCESS_CONTROL_REQUEST_METHOD: "PATCH",
    hdrs.ACCESS_CONTROL_REQUEST_HEADERS: "x-other",
}
MAY_READ: Final = {
    "access-control-allow-origin": LISTED,
    "access-control-expose-headers": "Retry-After",
    "vary": "Origin",
}


async def answer(
    method: str, path: str, headers: Mapping[str, str], allowed: tuple[str, ...] = (LISTED,)
) -> tuple[int, dict[str, str]]:
    """The status, and those headers that have to do with origins."""
    cross_origin = CrossOrigin(allowed)
    app = web.Application(middlewares=[as_problems, cross_origin.preflights, no_tokens_in_query])
    app.on_response_prepare.append(cross_origin.mark)

    async def well(_request: web.Request) -> web.Response:
        return web.Response()

    async def busy(_request: web.Request) -> web.Response:
        raise ParleyError(ErrorCode.RATE_LIMITED, "wait", retry_after=1)

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError

    app.router.add_routes(
        [
            web.get("/api/rooms/{room}", well),
            web.patch("/api/rooms/{room}", well),
            web.post("/api/busy", busy),
            web.post("/api/broken", broken),
            web.get("/.well-known/jwks.json", well),
            web.get("/", well),
        ]
    )
    async with TestClient(TestServer(app)) as client, client.request(method, path, headers=headers) as response:
        told = {name.lower(): value for name, value in response.headers.items()}
        return response.status, {
            name: value for name, value in told.items() if name.startswith("access-") or name == "vary"
        }


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/api/rooms/r", "GET, HEAD, PATCH"), ("/api/busy", "POST"), ("/.well-known/jwks.json?token=x", "GET, HEAD")],
)
async def test_a_listed_page_may_ask_first(path: str, methods: str) -> None:
    """It is told the methods of the path; of headers always the same, whatever it asks for."""
    status, told = await answer("OPTIONS", path, {hdrs.ORIGIN: LISTED, **ASKS})
    assert status == 204
    assert told == {
        **MAY_READ,
        "access-control-allow-methods": methods,
        "access-control-allow-headers": "Authorization, Content-Type, traceparent",
        "access-control-max-age": "600",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/rooms/r", 200),
        ("GET", "/.well-known/jwks.json", 200),
        ("GET", "/api/rooms/r?token=x", 400),
        ("POST", "/api/busy", 429),
        ("POST", "/api/broken", 500),
        ("PUT", "/api/busy", 405),
        ("GET", "/api/nothing", 404),
        ("OPTIONS", "/api/busy", 405),
    ],
)
async def test_a_listed_page_may_read_every_answer(method: str, path: str, status: int) -> None:
    """Problems too, and when to try again; an OPTIONS that asks for nothing is no preflight."""
    assert await answer(method, path, {hdrs.ORIGIN: LISTED}) == (status, MAY_READ)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://{host}",
        "https://evil.example",
        "http://listed.example",
        f"{LISTED}:443",
        f"{LISTED}/",
        f"{LISTED}.evil.example",
        LISTED.upper(),
        "null",
        "*",
        "",
    ],
)
async def test_others_are_told_nothing(origin: str | None) -> None:
    """Neither pages of other origins, nor the gateway's own, which need not ask: only that answers differ."""
    headers: dict[str, str] = {} if origin is None else {hdrs.ORIGIN: origin.format(host="gateway.example")}
    headers[hdrs.HOST] = "gateway.example"
    assert await answer("OPTIONS", "/api/rooms/r", {**headers, **ASKS}) == (405, {"vary": "Origin"})
    assert await answer("GET", "/api/rooms/r", headers) == (200, {"vary": "Origin"})


@pytest.mark.parametrize("origin", [LISTED, "http://{host}", ""])
async def test_without_a_list_all_is_as_before(origin: str) -> None:
    """Nobody is told anything."""
    headers: dict[str, str] = {hdrs.ORIGIN: origin.format(host="gateway.example"), hdrs.HOST: "gateway.example"}
    assert await answer("OPTIONS", "/api/rooms/r", {**headers, **ASKS}, ()) == (405, {})
    assert await answer("GET", "/api/rooms/r", headers, ()) == (200, {})


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 200), ("OPTIONS", "/", 405), ("GET", "/x", 404)])
async def test_pages_are_for_nobody_else(method: str, path: str, status: int) -> None:
    """It is the API that is open to listed pages; Socket.IO answers them itself."""
    assert await answer(method, path, {hdrs.ORIGIN: LISTED, **ASKS}) == (status, {})


async def test_of_a_path_that_is_none_there_are_no_methods() -> None:
    """A page hears that there is nothing."""
    assert await answer("OPTIONS", "/api/nothing", {hdrs.ORIGIN: LISTED, **ASKS}) == (404, MAY_READ)
