"""Errors over HTTP, through a real server: every failure is a problem document of the contract."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from structlog.testing import capture_logs

from services.gateway.api import problems
from wire.errors import ErrorCode, ParleyError

STATUS = {
    "unauthorized": 401,
    "expired": 401,
    "forbidden": 403,
    "invalid": 400,
    "too_large": 413,
    "rate_limited": 429,
    "not_joined": 409,
    "unavailable": 503,
    "internal": 500,
}


async def answer(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]], **request: Any
) -> tuple[int, Any, Any]:
    """Status, headers and body with which a server answers when `handler` serves `/`."""
    app = web.Application(middlewares=[problems.as_problems], client_max_size=1000)
    app.router.add_route("*", "/", handler)
    async with TestClient(TestServer(app)) as client:
        response = await client.request(request.pop("method", "GET"), request.pop("path", "/"), **request)
        return response.status, response.headers, await response.json(content_type=None)


def failing(error: Exception) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that raises `error`."""

    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    return handler


@pytest.mark.parametrize("code", ErrorCode)
async def test_every_code_has_its_status(code: ErrorCode) -> None:
    """The status of each code is the contract's; a code without one cannot be added unnoticed."""
    status, headers, body = await answer(failing(ParleyError(code, "why")))
    assert status == STATUS[code]
    assert headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert (body["type"], body["status"], body["code"], body["detail"]) == ("about:blank", status, code, "why")
    assert body["title"]
    assert "Retry-After" not in headers


@pytest.mark.parametrize(("seconds", "header"), [(1, "1"), (0.2, "1"), (2.5, "3"), (0, "0"), (30.0, "30")])
async def test_retry_after_is_in_body_and_header(seconds: float, header: str) -> None:
    """The header has whole seconds (RFC 9110), never fewer than the body says."""
    status, headers, body = await answer(failing(ParleyError(ErrorCode.RATE_LIMITED, "why", retry_after=seconds)))
    assert status == 429
    assert headers["Retry-After"] == header
    assert body["retry_after"] == seconds


async def test_a_defect_of_ours_says_nothing_of_itself() -> None:
    """An unexpected exception is `internal`; its text, which may hold anything, is not told."""
    status, headers, body = await answer(failing(RuntimeError("hunter2")))
    assert (status, body["code"], body["detail"]) == (500, "internal", "internal error")
    assert "hunter2" not in f"{headers}{body}"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (web.HTTPNotFound(), 404, "invalid"),
        (web.HTTPBadRequest(), 400, "invalid"),
        (web.HTTPLengthRequired(), 411, "invalid"),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405, "invalid"),
        (web.HTTPRequestEntityTooLarge(1, 2), 413, "too_large"),
        (web.HTTPServiceUnavailable(headers={"Retry-After": "2"}), 503, "unavailable"),
        (web.HTTPTooManyRequests(headers={"Retry-After": "2"}), 429, "rate_limited"),
    ],
)
async def test_errors_of_http_keep_their_status(error: web.HTTPException, status: int, code: str) -> None:
    """What HTTP itself refuses is a problem too, with HTTP's status and the code that fits."""
    got, headers, body = await answer(failing(error))
    assert (got, body["status"], body["code"]) == (status, status, code)
    assert headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert (headers.get("Retry-After"), body.get("retry_after")) == (
        ("2", 2) if status in {429, 503} else (None, None)
    )


async def test_whoever_hangs_up_is_no_failure() -> None:
    """A client that goes between its request and the answer: nothing is logged, for any stranger can do that."""

    async def gone(_request: web.Request) -> web.StreamResponse:
        raise ConnectionResetError

    with capture_logs() as logs, pytest.raises(ConnectionResetError):
        await problems.as_problems(make_mocked_request("GET", "/"), gone)
    assert not logs


async def test_unknown_paths_are_problems() -> None:
    """Also where no handler of ours was reached."""
    status, headers, body = await answer(failing(AssertionError()), path="/nothing")
    assert (status, body["code"]) == (404, "invalid")
    assert headers["Content-Type"].split(";")[0] == "application/problem+json"


async def test_a_request_that_is_too_large_is_too_large() -> None:
    """Reading more than the server takes ends in 413."""

    async def reading(request: web.Request) -> web.StreamResponse:
        return web.json_response({"read": len(await request.read())})

    assert (await answer(reading, method="POST", data=b"a" * 900))[2] == {"read": 900}
    status, _, body = await answer(reading, method="POST", data=b"a" * 1001)
    assert (status, body["code"]) == (413, "too_large")


async def test_what_is_no_error_passes() -> None:
    """Redirects are raised in aiohttp, and are no failures."""
    app = web.Application(middlewares=[problems.as_problems])
    app.router.add_get("/", failing(web.HTTPFound("/elsewhere")))
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (302, "/elsewhere")


async def test_a_method_that_is_not_allowed_names_those_that_are() -> None:
    """405 must carry Allow (RFC 9110, 15.5.6)."""
    _, headers, _ = await answer(failing(web.HTTPMethodNotAllowed("PUT", ["GET", "HEAD"])))
    assert headers["Allow"] == "GET,HEAD"
