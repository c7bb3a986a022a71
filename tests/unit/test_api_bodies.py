"""API requests, before anybody is asked about them."""

from typing import Any, NoReturn, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.api.problems import as_problems
from services.gateway.api.sessions import SessionsApi
from services.gateway.edge.limits import Limits
from wire.errors import ErrorCode, ParleyError


@pytest.mark.parametrize("encoding", ["deflate", "gzip"])
async def test_a_body_that_does_not_inflate_is_the_clients_error(encoding: str) -> None:
    """A problem with status 400; nothing is logged as a failure of ours."""
    nobody = cast("Any", None)
    app = web.Application(middlewares=[as_problems])
    app.add_routes(SessionsApi(nobody, Limits()).routes())
    async with TestClient(TestServer(app)) as client:
        headers = {"Content-Encoding": encoding}
        async with client.post("/api/guest", data=b"nonsense, not compressed", headers=headers) as response:
            assert (response.status, response.content_type) == (400, "application/problem+json")
            assert (await response.json())["code"] == "invalid"


class Deaf:
    """In the place of the auth service: keeps what it is asked, and refuses."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def guest(self, asked: Any) -> NoReturn:
        """See `Auth`."""
        self.addresses.append(asked.address)
        raise ParleyError(ErrorCode.RATE_LIMITED, "no", retry_after=1)

    register = login = guest


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "192.0.2.7", "127.0.0.1"),
        (("10.0.0.0/8",), "192.0.2.7", "127.0.0.1"),
        (("127.0.0.0/8",), "1.2.3.4, 192.0.2.7", "192.0.2.7"),
        (("127.0.0.0/8",), "1.2.3.4, nonsense", "127.0.0.1"),
        (("127.0.0.0/8",), None, "127.0.0.1"),
    ],
)
async def test_auth_is_told_whose_request_it_is(
    trusted: tuple[str, ...], forwarded: str | None, address: str
) -> None:
    """Attempts are limited by that address: a stranger must not choose it."""
    auth = Deaf()
    app = web.Application(middlewares=[as_problems])
    app.add_routes(SessionsApi(cast("Any", auth), Limits(trusted_proxies=trusted)).routes())
    account = {"username": "ann", "password": "correct horse", "display_name": "Ann"}
    async with TestClient(TestServer(app)) as client:
        for path in ("guest", "register", "login"):
            headers = {"X-Real-IP": "192.0.2.8"} | ({"X-Forwarded-For": forwarded} if forwarded else {})
            async with client.post(f"/api/{path}", json=account, headers=headers) as response:
                assert response.status == 429
    assert auth.addresses == [address] * 3
