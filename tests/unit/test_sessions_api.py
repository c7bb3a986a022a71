"""The HTTP API of sessions: what the auth service is asked, and by whom."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.api.problems import as_problems
from services.gateway.api.sessions import SessionsApi
from services.gateway.auth import Auth
from services.gateway.edge.limits import Limits
from wire.accounts import Disconnect, Service, VerifyService
from wire.errors import ErrorCode, ParleyError
from wire.messages import Done, Message


class Recorded:
    """Stands for the auth service: knows one service token, and does as it is told."""

    def __init__(self) -> None:
        self.asked: list[Message] = []

    async def verify_service(self, request: VerifyService) -> Service:
        """Only `good`."""
        self.asked.append(request)
        if request.token != "good":
            raise ParleyError(ErrorCode.UNAUTHORIZED, "the token is not valid")
        return Service(name="billing")

    async def disconnect(self, request: Disconnect) -> Done:
        """Done."""
        self.asked.append(request)
        return Done()


@pytest.fixture
def auth() -> Recorded:
    """Nothing asked yet."""
    return Recorded()


@pytest_asyncio.fixture(loop_scope="session")
async def client(auth: Recorded) -> AsyncIterator[TestClient[Any, Any]]:
    """Somebody who talks to the API."""
    app = web.Application(middlewares=[as_problems])
    app.add_routes(SessionsApi(cast("Auth", auth), Limits()).routes())
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_a_service_disconnects_a_user(client: TestClient[Any, Any], auth: Recorded) -> None:
    """If its token is good for that."""
    headers = {"Authorization": "Bearer good"}
    async with client.post("/api/users/u-ann/disconnect", headers=headers) as response:
        assert (response.status, await response.read()) == (202, b"")
    assert auth.asked == [VerifyService("good", "disconnect"), Disconnect("u-ann")]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer bad"}, {"Authorization": "Basic good"}])
async def test_nobody_else_does(client: TestClient[Any, Any], auth: Recorded, headers: dict[str, str]) -> None:
    """Without a token, or with one that is not good for it, nobody is disconnected."""
    async with client.post("/api/users/u-ann/disconnect", headers=headers) as response:
        assert response.status == 401
        assert (await response.json())["code"] == "unauthorized"
    assert not [each for each in auth.asked if isinstance(each, Disconnect)]


@pytest.mark.parametrize("user", ["a.b", "*", "%3E", "a%20b", "x" * 65, "a%0d%0ab"])
async def test_a_user_has_an_id(client: TestClient[Any, Any], auth: Recorded, user: str) -> None:
    """Anything else is invalid, and nothing is asked for it; whether it is said only to those who may ask."""
    async with client.post(f"/api/users/{user}/disconnect", headers={"Authorization": "Bearer good"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid")
    async with client.post(f"/api/users/{user}/disconnect") as response:
        assert response.status == 401
    assert not [each for each in auth.asked if isinstance(each, Disconnect)]
