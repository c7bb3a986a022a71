"""Bodies of API requests, before anybody is asked about them."""

from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.edge.limits import Limits
from services.gateway.problems import as_problems
from services.gateway.sessions_api import SessionsApi


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
