"""Tokens in URLs are refused, whatever is asked."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.gateway.api.problems import as_problems
from services.gateway.api.query_tokens import no_tokens_in_query


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("limit=1&before=2", 200),
        ("EIO=4&transport=websocket&tokens=1", 200),
        ("token=hunter2", 400),
        ("limit=1&access_token=hunter2", 400),
        ("refresh_token=hunter2", 400),
        ("EIO=4&transport=polling&auth=hunter2", 400),
        ("TOKEN=hunter2", 400),
        ("%74oken=hunter2", 400),
        ("token", 400),
        ("token=&token=hunter2", 400),
    ],
)
async def test_a_token_in_the_query_is_refused(query: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """With a problem that says where it belongs, and that does not repeat it; nor does the log."""
    app = web.Application(middlewares=[as_problems, no_tokens_in_query])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/x", answer)
    async with TestClient(TestServer(app)) as client, client.get(f"/x?{query}") as response:
        text = await response.text()
        assert response.status == status
        if status == 400:
            assert response.content_type == "application/problem+json"
            assert "Authorization" in text
        assert "hunter2" not in text
    assert "hunter2" not in caplog.text
